import { plansAtHand } from '../accounts/plans.js';
import type { Clock } from '../clock.js';
import type { WorkerConfig } from '../config/worker-config.js';
import { DeadlinePassed, Interrupted, Stopping } from '../engine/stopping.js';
import { NOBODY_PAYS } from '../engine/workload.js';
import { ConfigError } from '../failures.js';
import type { Logger } from '../log/logger.js';
import type { Worker } from '../worker/worker.js';
import { ChartMaker } from './chart-maker.js';
import type { ChartOrder, Generated, Library } from './library.js';
import { makeAll } from './make-all.js';
import { originsOf } from './origins.js';
import { planOrder } from './plan-order.js';
import { Snapshots } from './snapshots/snapshots.js';
import { ChartSymbols } from './symbols/chart-symbols.js';
import { lookAtUsage } from './usage-view.js';

/** The library of a worker that is open; closing it ends the orders under way, then closes the worker. */
export function libraryOn(worker: Worker, config: WorkerConfig, logger: Logger): Library {
  const { accounts, cache, timezone, timeoutMs, concurrency } = config;
  const closed = new AbortController();
  const deps = worker.engineDeps({ logger, signal: closed.signal });
  const { retentionMs } = cache;
  const maker = new ChartMaker(deps, { origins: originsOf(config), retentionMs });
  const symbols = new ChartSymbols(worker.documents);
  const plans = plansAtHand(accounts);
  const planDeps = { ...deps, symbols, plans, timezone };
  let probed: Promise<void> | undefined;

  const doOrder = async (order: ChartOrder, signal?: AbortSignal): Promise<Generated[]> => {
    const planned = await planOrder(order, planDeps);
    const charts = planned.flatMap((one) => ('chart' in one ? [one.chart] : []));
    if (charts.length === 0) return planned.filter((one) => 'kind' in one);
    const costly = charts.some(({ foresight }) => foresight.kind === 'call');
    if (costly && deps.settings.isLive && accounts.length === 0) throw new ConfigError(NOBODY_PAYS);
    // Only this says what to do where the bucket cannot be used; no quota is spent before.
    probed ??= worker.artifacts.probe();
    await probed.catch((error: unknown) => {
      probed = undefined;
      throw error;
    });
    const { stop, over } = stopping([signal, closed.signal], timeoutMs, deps.clock);
    const request = {
      ttlMs: cache.ttlMs,
      refresh: order.refresh ?? cache.refresh,
      trigger: order.trigger ?? 'manual',
      generatedBy: order.generatedBy,
      signal: stop,
    } as const;
    try {
      return await makeAll(planned, concurrency, (one) => maker.make(one, request));
    } finally {
      over();
    }
  };

  const underWay = new Set<Promise<unknown>>();
  const generate = (order: ChartOrder, signal?: AbortSignal): Promise<Generated[]> => {
    const doing = doOrder(order, signal);
    const ended = doing.catch(() => undefined).finally(() => underWay.delete(ended));
    underWay.add(ended);
    return doing;
  };

  return {
    generate,
    snapshots: new Snapshots(worker),
    symbols,
    usage: () => lookAtUsage(accounts, worker.documents),
    close: async () => {
      closed.abort(new Interrupted('the library was closed'));
      await Promise.all(underWay);
      await worker.close();
    },
  };
}

/** Aborts with the first of the signals, or at the deadline; however many charts listen. */
function stopping(
  signals: readonly (AbortSignal | undefined)[],
  timeoutMs: number,
  clock: Clock,
): { readonly stop: AbortSignal; over(): void } {
  const stop = new Stopping();
  const ended = new AbortController();
  for (const signal of signals) if (signal) stop.follow(signal, 'now', () => signal.reason);
  void clock.sleep(timeoutMs, ended.signal).then(() => {
    if (ended.signal.aborted) return;
    stop.cut(new DeadlinePassed(`not there after ${timeoutMs / 1_000} s, the deadline`));
  });
  const over = () => {
    stop.over();
    ended.abort();
  };
  return { stop: stop.now, over };
}
