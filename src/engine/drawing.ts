import { Pacing } from '../accounts/pacing.js';
import type { ProviderAnswer } from '../chart-img/chart-provider.js';
import { withHint } from '../chart-img/hints.js';
import type { PngSize } from '../chart-img/png.js';
import { judge, type Verdict } from '../chart-img/verdict.js';
import type { Account } from '../contracts/documents.js';
import { type Redactor, redactorFor } from '../log/redact.js';
import type { Claimed } from './claim.js';
import type { EngineDeps } from './deps.js';
import type { StepError } from './outcome.js';
import type { RenderableChart } from './plan.js';
import { type Allowance, QuotaDesk } from './quota-desk.js';
import { DeadlinePassed, type Stopping } from './stopping.js';
import { Waiting } from './waiting.js';
import { outOfQuota } from './workload.js';

/** A chart as it arrived, not stored yet. */
export interface Drawn {
  readonly png: Buffer;
  readonly size: PngSize;
  /** Who paid for it; absent: nobody had to. */
  readonly account?: Account;
}

/** Whose lease and quota the calls are made with. */
export interface Paid extends Pick<Claimed, 'lease' | 'spending' | 'serverClock'> {
  /** Where other drawings of this process ask the same accounts; absent: none does. */
  readonly pacing?: Pacing;
  /** 429s of unknown text in a row, by account id, of those drawings; absent: there are none. */
  readonly unsure?: Map<string, number>;
  /** Of what the ledger says, as much as may be spent here; absent: all of it. */
  readonly allowance?: Allowance;
}

type Refusal = Extract<Verdict, { message: string }>;

/** Calls of one chart that the service itself failed, in all. */
const MAX_STUMBLES = 3;
/** The first wait after such a call, on average half of it; doubles with the next. */
const STUMBLE_WAIT_MS = 1_000;

/**
 * One step's conversation with the provider: which account asks, what an answer means for the chart
 * and for that account, and who is asked next. Whatever it is told of an account holds for all charts
 * of the step, in this process.
 */
export class Drawing {
  readonly calls = { ok: 0, failed: 0 };
  /** Accounts that have nothing left today, says the provider. */
  readonly exhausted = new Set<string>();
  /** Accounts whose key was not accepted. */
  readonly badKeys = new Set<string>();
  readonly #desk: QuotaDesk | undefined;
  readonly #pacing: Pacing | undefined;
  readonly #waiting: Waiting;
  /** 429s of unknown text in a row, by account id. */
  readonly #unsure: Map<string, number>;
  readonly #claimed: Paid;
  readonly #deps: EngineDeps;
  readonly #stop: Stopping;
  readonly #redact: Redactor;

  constructor(claimed: Paid, deps: EngineDeps, stop: Stopping) {
    const { spending, lease, serverClock } = claimed;
    this.#pacing = deps.settings.isLive ? (claimed.pacing ?? new Pacing()) : undefined;
    this.#unsure = claimed.unsure ?? new Map();
    this.#waiting = new Waiting(deps.clock, deps.logger);
    const { clock } = deps;
    this.#desk =
      spending &&
      new QuotaDesk(
        { spending, lease, serverClock },
        clock,
        this.#pacing,
        this.#waiting,
        claimed.allowance,
      );
    this.#claimed = claimed;
    this.#deps = deps;
    this.#stop = stop;
    this.#redact = redactorFor(deps.accounts.map(({ apiKey }) => apiKey));
  }

  /**
   * Asks, and asks again where that may help, until there is a chart or a reason why not. Rejects
   * with the reason that the step was stopped for, unless that is its deadline.
   */
  async draw(chart: RenderableChart): Promise<Drawn | StepError> {
    const refusals: Refusal[] = [];
    try {
      return await this.#draw(chart, refusals);
    } catch (error) {
      if (!(error instanceof DeadlinePassed) || error !== this.#stop.now.reason) throw error;
      const onlyTooMany = refusals.length > 0 && refusals.every(isAboutQuota);
      const code = onlyTooMany ? 'CHART_API_LIMIT_EXCEEDED' : 'CHART_API_FAILED';
      const last = refusals.at(-1);
      const message = last ? `${error.message}; ${last.message}` : error.message;
      return chartError(code, chart, message, { ...saidBy(last), reason: 'deadline' });
    }
  }

  async #draw(chart: RenderableChart, refusals: Refusal[]): Promise<Drawn | StepError> {
    const turnedAwayBy = new Set<string>();
    let stumbles = 0;
    for (;;) {
      this.#stop.soon.throwIfAborted();
      const payer = await this.#payerFor(chart, turnedAwayBy);
      if (payer === 'nobody') return noAccount(chart, refusals.at(-1));
      const account = payer === 'free' ? undefined : payer;

      const verdict = await this.#call(chart, account);
      if (verdict.kind === 'chart') {
        return { png: verdict.png, size: verdict.size, ...(account && { account }) };
      }
      refusals.push(verdict);
      switch (verdict.kind) {
        case 'chart-wrong':
          return chartError('CHART_API_FAILED', chart, withHint(verdict, chart), saidBy(verdict));
        case 'try-again':
          stumbles += 1;
          if (stumbles === MAX_STUMBLES) {
            const message = `${verdict.message} (${stumbles} times)`;
            return chartError('CHART_API_FAILED', chart, message, saidBy(verdict));
          }
          await this.#recover(stumbles, verdict.retryAfterMs);
          break;
        case 'too-fast':
        case 'quota-gone':
        case 'quota-unsure':
        case 'key-bad':
        case 'plan-too-small':
          // Without accounts there is nobody else to ask.
          if (!account) return refused(chart, verdict);
          if (!(verdict.kind === 'too-fast' && this.#pacing)) turnedAwayBy.add(account.id);
          await this.#setAside(account, verdict);
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
      return (await this.#desk.unit(chart.needs, turnedAwayBy, this.#stop.soon)) ?? 'nobody';
    }
    await this.#claimed.lease.fresh(this.#stop.soon);
    return 'free';
  }

  async #call(chart: RenderableChart, account: Account | undefined): Promise<Verdict> {
    const { chartTemplateId, request, foresight } = chart;
    const { logger, clock, provider, settings } = this.#deps;
    const facts = {
      chartTemplateId,
      chartImgSymbol: request.chartImgSymbol,
      mode: settings.chartsApiMode,
      ...(account && { accountId: account.id }),
    };
    logger.info('chart_api_call_start', `asking for ${chartTemplateId}`, facts);
    const startedAt = clock.monotonic();
    const answer = await unlessAborted(
      provider.render({
        chart: request,
        signal: this.#stop.now,
        ...(account && foresight.kind === 'call' && { apiKey: account.apiKey }),
      }),
      this.#stop.now,
    );
    if (account && answer.kind === 'no-answer' && answer.unsent) this.#desk?.giveBack(account);
    const verdict = judge(answer, this.#redact);
    const ok = verdict.kind === 'chart';
    if (ok) this.calls.ok += 1;
    else this.calls.failed += 1;
    if (account && verdict.kind !== 'quota-unsure') this.#unsure.delete(account.id);
    logger.info(
      'chart_api_call_finished',
      ok ? `${chartTemplateId} arrived` : `${chartTemplateId}: ${verdict.message}`,
      {
        ...facts,
        ok,
        httpStatus: answer.kind === 'answer' ? answer.status : null,
        durationMs: Math.round(clock.monotonic() - startedAt),
        fixtureKey: fixtureKeyOf(answer),
      },
    );
    return verdict;
  }

  /** A recording stumbles for ever in the same way: nothing is gained by waiting for it. */
  async #recover(stumbles: number, retryAfterMs = 0): Promise<void> {
    if (!this.#deps.settings.isLive) return;
    const jittered = this.#deps.clock.random() * STUMBLE_WAIT_MS * 2 ** (stumbles - 1);
    const reason = retryAfterMs > jittered ? 'retry-after' : 'backoff';
    await this.#waiting.on({ reason }, Math.max(jittered, retryAfterMs), this.#stop.soon);
  }

  async #setAside(account: Account, { kind, message, retryAfterMs }: Refusal): Promise<void> {
    const { logger, clock } = this.#deps;
    switch (kind) {
      case 'too-fast':
        this.#pacing?.refused(account, clock.monotonic(), retryAfterMs);
        return;
      case 'key-bad':
        this.#claimed.spending?.close(account.id);
        this.badKeys.add(account.id);
        logger.warn(
          'chart_api_account_set_aside',
          `account ${account.id} is not asked again by this run: ${message}; check its key`,
          { accountId: account.id },
        );
        return;
      case 'quota-gone':
        return this.#exhaust(account);
      case 'quota-unsure': {
        const unsure = (this.#unsure.get(account.id) ?? 0) + 1;
        this.#unsure.set(account.id, unsure);
        if (unsure >= 2) await this.#exhaust(account);
        return;
      }
      default:
        return;
    }
  }

  async #exhaust(account: Account): Promise<void> {
    this.exhausted.add(account.id);
    await this.#desk?.exhausted(account, this.#stop.now);
  }
}

/** A chart's failure, with what people need to look into it. */
export function chartError(
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

function saidBy(refusal: Refusal | undefined) {
  return refusal && { httpStatus: refusal.httpStatus, providerMessage: refusal.message };
}

function isAboutQuota({ kind }: Refusal): boolean {
  return kind === 'quota-gone' || kind === 'quota-unsure' || kind === 'too-fast';
}

function refused(chart: RenderableChart, refusal: Refusal): StepError {
  const code = isAboutQuota(refusal) ? 'CHART_API_LIMIT_EXCEEDED' : 'CHART_API_FAILED';
  return chartError(code, chart, withHint(refusal, chart), saidBy(refusal));
}

function noAccount(chart: RenderableChart, last: Refusal | undefined): StepError {
  if (!last) return outOfQuota(chart);
  if (isAboutQuota(last)) return outOfQuota(chart, `no account has quota left: ${last.message}`);
  const words = withHint(last, chart);
  const message = last.kind === 'key-bad' ? `no account's key was accepted: ${words}` : words;
  return chartError('CHART_API_FAILED', chart, message, saidBy(last));
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
