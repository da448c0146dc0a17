import { smallestPlanFor } from '../accounts/plans.js';
import type { ProviderAnswer } from '../chart-img/chart-provider.js';
import { judge, type Verdict } from '../chart-img/verdict.js';
import type { Account } from '../contracts/documents.js';
import { ConfigError, reasonOf, StoreUnavailable } from '../failures.js';
import type { Logger } from '../log/logger.js';
import type { Claimed } from './claim.js';
import type { EngineDeps } from './deps.js';
import type { StepError } from './outcome.js';
import type { RenderableChart, StepInputs } from './plan.js';
import { QuotaDesk } from './quota-desk.js';
import { type ChartFolder, type StoredChart, storeChart } from './stored-chart.js';
import { outOfQuota } from './workload.js';

/** Every requested chart has its end: stored, or failed with a reason. */
export interface Rendered {
  readonly stored: ReadonlyMap<string, StoredChart>;
  readonly failed: ReadonlyMap<string, StepError>;
  readonly calls: { ok: number; failed: number };
}

/** Calls of one chart that the service itself failed, in all. */
const MAX_STUMBLES = 3;

/**
 * Renders what the claim left open, `concurrency` charts at a time, and stores each PNG as soon
 * as it is there. When `stop` is aborted by the deadline, the charts not yet there fail. Rejects
 * with what else aborted it, or with `LeaseLost` or a bug, once no lane is at work any more.
 */
export async function render(
  claimed: Claimed,
  inputs: StepInputs,
  deps: EngineDeps,
  stop: AbortController,
): Promise<Rendered> {
  const { workload, situation, lease } = claimed;
  const stored = new Map(workload.stored);
  const failed = new Map(workload.failed);
  const { stepId } = situation.selected;
  const folder = { runId: situation.run.runId, stepId, claimId: lease.current.claimId, inputs };
  const logger = deps.logger.with({ stepId });
  const kitchen = new Kitchen(claimed, folder, { ...deps, logger }, stop.signal);

  for (const chart of workload.failed) {
    logger.warn('chart_failed', `${chart[0]}: ${chart[1].message}`, {
      chartTemplateId: chart[0],
      error: chart[1],
    });
  }
  const waiting = workload.renders.values();
  const worker = async () => {
    for (const chart of waiting) {
      const { chartTemplateId } = chart;
      const result = await kitchen.make(chart);
      if ('item' in result) {
        stored.set(chartTemplateId, result);
        continue;
      }
      failed.set(chartTemplateId, result);
      logger.warn('chart_failed', `${chartTemplateId}: ${result.message}`, {
        chartTemplateId,
        error: result,
      });
    }
  };
  // What stops one lane stops them all: no call may follow a lost lease.
  const lane = () =>
    worker().catch((error: unknown) => {
      stop.abort(error);
      throw error;
    });
  const lanes = Math.min(deps.settings.concurrency, workload.renders.length);
  const ends = await Promise.allSettled(Array.from({ length: lanes }, lane));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;

  kitchen.reportQuota(failed);
  return { stored, failed, calls: kitchen.calls };
}

/** The step's deadline, as a reason to stop. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';
}

class Kitchen {
  readonly calls = { ok: 0, failed: 0 };
  readonly #desk: QuotaDesk | undefined;
  readonly #exhausted = new Set<string>();
  /** 429s of unknown text in a row, by account id. */
  readonly #unsure = new Map<string, number>();
  readonly #claimed: Claimed;
  readonly #folder: ChartFolder;
  readonly #deps: EngineDeps;
  readonly #logger: Logger;
  readonly #stop: AbortSignal;

  constructor(claimed: Claimed, folder: ChartFolder, deps: EngineDeps, stop: AbortSignal) {
    const { spending, lease, serverClock } = claimed;
    this.#desk = spending && new QuotaDesk(spending, lease, serverClock, deps.clock);
    this.#claimed = claimed;
    this.#folder = folder;
    this.#deps = deps;
    this.#logger = deps.logger;
    this.#stop = stop;
  }

  /** One chart from its first call to the bucket. Rejects when the whole step has to stop. */
  async make(chart: RenderableChart): Promise<StoredChart | StepError> {
    const startedAt = this.#deps.clock.monotonic();
    try {
      const drawn = await this.#draw(chart);
      if ('code' in drawn) return drawn;
      const generatedAt = new Date(this.#deps.clock.now());
      await this.#claimed.lease.fresh(this.#stop);
      const { png, size, account } = drawn;
      const stored = await storeChart(this.#deps.artifacts, this.#folder, {
        chart,
        png,
        size,
        generatedAt,
      });
      if (!stored) return this.#failure('GCS_WRITE_FAILED', chart, 'its object names are taken');
      const { chartTemplateId } = chart;
      this.#logger.info('chart_stored', `${chartTemplateId} is stored`, {
        chartTemplateId,
        ...size,
        bytes: png.length,
        durationMs: Math.round(this.#deps.clock.monotonic() - startedAt),
        objectName: stored.name,
        ...(account && { accountId: account.id }),
      });
      return stored;
    } catch (error) {
      if (this.#stop.aborted && error === this.#stop.reason) {
        if (error instanceof DeadlinePassed) {
          return this.#failure('CHART_API_FAILED', chart, error.message, { reason: 'deadline' });
        }
        throw error;
      }
      if (error instanceof ConfigError) {
        return this.#failure('CHART_API_FAILED', chart, error.message);
      }
      if (error instanceof StoreUnavailable) {
        return this.#failure('GCS_WRITE_FAILED', chart, reasonOf(error));
      }
      throw error;
    }
  }

  /** Asks, and asks again where that may help, until there is a chart or a reason why not. */
  async #draw(
    chart: RenderableChart,
  ): Promise<
    { png: Buffer; size: { width: number; height: number }; account?: Account } | StepError
  > {
    const turnedAwayBy = new Set<string>();
    let stumbles = 0;
    let lastRefusal: Extract<Verdict, { message: string }> | undefined;
    for (;;) {
      this.#stop.throwIfAborted();
      const payer = await this.#payerFor(chart, turnedAwayBy);
      if (payer === 'nobody') return this.#noAccount(chart, lastRefusal);
      const account = payer === 'free' ? undefined : payer;

      const verdict = await this.#call(chart, account);
      if (verdict.kind === 'chart') {
        return { png: verdict.png, size: verdict.size, ...(account && { account }) };
      }
      const providerSays = { httpStatus: verdict.httpStatus, providerMessage: verdict.message };
      switch (verdict.kind) {
        case 'chart-wrong':
          return this.#failure('CHART_API_FAILED', chart, verdict.message, providerSays);
        case 'try-again':
          stumbles += 1;
          if (stumbles < MAX_STUMBLES) break;
          return this.#failure(
            'CHART_API_FAILED',
            chart,
            `${verdict.message} (${stumbles} times)`,
            providerSays,
          );
        case 'too-fast':
        case 'quota-gone':
        case 'quota-unsure':
        case 'key-bad':
        case 'plan-too-small':
          // Without accounts there is nobody else to ask.
          if (!account) return this.#refused(chart, verdict);
          lastRefusal = verdict;
          turnedAwayBy.add(account.id);
          await this.#setAside(account, verdict.kind);
          break;
        default:
          verdict satisfies never;
      }
    }
  }

  /** Who pays for the next call, which is to follow at once. */
  async #payerFor(
    chart: RenderableChart,
    turnedAwayBy: ReadonlySet<string>,
  ): Promise<Account | 'free' | 'nobody'> {
    if (this.#desk && chart.foresight.kind === 'call') {
      return (await this.#desk.unit(chart.needs, turnedAwayBy, this.#stop)) ?? 'nobody';
    }
    await this.#claimed.lease.fresh(this.#stop);
    return 'free';
  }

  async #call(chart: RenderableChart, account: Account | undefined): Promise<Verdict> {
    const { chartTemplateId, request, foresight } = chart;
    const facts = {
      chartTemplateId,
      chartImgSymbol: request.chartImgSymbol,
      mode: this.#deps.settings.chartsApiMode,
      ...(account && { accountId: account.id }),
    };
    this.#logger.info('chart_api_call_start', `asking for ${chartTemplateId}`, facts);
    const startedAt = this.#deps.clock.monotonic();
    const answer = await unlessAborted(
      this.#deps.provider.render({
        chart: request,
        signal: this.#stop,
        ...(account && foresight.kind === 'call' && { apiKey: account.apiKey }),
      }),
      this.#stop,
    );
    const verdict = judge(answer);
    const ok = verdict.kind === 'chart';
    if (ok) this.calls.ok += 1;
    else this.calls.failed += 1;
    this.#logger.info(
      'chart_api_call_finished',
      ok ? `${chartTemplateId} arrived` : `${chartTemplateId}: ${verdict.message}`,
      {
        ...facts,
        ok,
        httpStatus: answer.kind === 'answer' ? answer.status : null,
        durationMs: Math.round(this.#deps.clock.monotonic() - startedAt),
        fixtureKey: fixtureKeyOf(answer),
      },
    );
    return verdict;
  }

  async #setAside(account: Account, kind: Verdict['kind']): Promise<void> {
    const unsure = kind === 'quota-unsure' ? (this.#unsure.get(account.id) ?? 0) + 1 : 0;
    this.#unsure.set(account.id, unsure);
    if (kind === 'key-bad') this.#claimed.spending?.close(account.id);
    if (kind === 'quota-gone' || unsure >= 2) {
      this.#exhausted.add(account.id);
      await this.#desk?.exhausted(account, this.#stop);
    }
  }

  #noAccount(
    chart: RenderableChart,
    lastRefusal: { kind: Verdict['kind']; message: string } | undefined,
  ): StepError {
    switch (lastRefusal?.kind) {
      case 'key-bad':
        return this.#failure(
          'CHART_API_FAILED',
          chart,
          `no account's key was accepted: ${lastRefusal.message}`,
        );
      case 'plan-too-small': {
        const plan = smallestPlanFor(chart.needs);
        const remedy = plan ? `plan ${plan} would do` : 'no plan would do';
        return this.#failure('CHART_API_FAILED', chart, `${lastRefusal.message}; ${remedy}`);
      }
      case 'quota-gone':
      case 'quota-unsure':
      case 'too-fast':
        return outOfQuota(chart, `no account has quota left: ${lastRefusal.message}`);
      default:
        return outOfQuota(chart);
    }
  }

  #refused(
    chart: RenderableChart,
    { kind, httpStatus, message }: Extract<Verdict, { message: string }>,
  ): StepError {
    const isQuota = kind === 'quota-gone' || kind === 'quota-unsure' || kind === 'too-fast';
    const code = isQuota ? 'CHART_API_LIMIT_EXCEEDED' : 'CHART_API_FAILED';
    return this.#failure(code, chart, message, { httpStatus, providerMessage: message });
  }

  #failure(
    code: StepError['code'],
    { chartTemplateId, request }: RenderableChart,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
  ): StepError {
    const known = Object.entries(details).filter(([, value]) => value !== undefined);
    return {
      code,
      message: `${request.chartImgSymbol} ${request.timeframe}: ${message}`,
      details: { chartTemplateId, symbol: request.chartImgSymbol, ...Object.fromEntries(known) },
    };
  }

  /** Once a step: dashboards count steps that ran dry, not charts. */
  reportQuota(failed: ReadonlyMap<string, StepError>): void {
    const dry = [...failed.values()].find(({ code }) => code === 'CHART_API_LIMIT_EXCEEDED');
    if (!dry) return;
    this.#logger.error('chart_api_limit_exceeded', dry.message, {
      error: dry,
      exhaustedAccounts: [...this.#exhausted],
    });
  }
}

function fixtureKeyOf(answer: ProviderAnswer): string | null {
  return answer.kind === 'answer' ? (answer.fixtureKey ?? null) : null;
}

/** A call that does not listen to its signal is left behind rather than waited for. */
function unlessAborted<T>(call: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    call.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
