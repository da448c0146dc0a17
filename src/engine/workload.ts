import { deal, total, type Units, type WaitOf } from '../accounts/dealing.js';
import type { CachedPicture } from './chart-cache.js';
import type { StepError } from './outcome.js';
import type { RenderableChart } from './plan.js';
import type { StoredChart } from './stored-chart.js';
import type { Situation } from './survey.js';

/** Holders that may die on a step before nobody is paid for it any more. */
export const MAX_ATTEMPTS = 3;

/** Of a live call where there are no accounts. */
export const NOBODY_PAYS =
  'a chart has no recording and there are no Chart-IMG accounts to ask for it: name a file with --accounts-config-path, or set CHART_IMG_ACCOUNTS_JSON';

/** What is left of a step to do once everything knowable was taken off. */
export interface Workload {
  readonly stored: ReadonlyMap<string, StoredChart>;
  /** By template id: of the renders, those that a copy will do for. */
  readonly cached: ReadonlyMap<string, CachedPicture>;
  /** By template id: the charts that fail without a call. */
  readonly failed: ReadonlyMap<string, StepError>;
  readonly renders: readonly RenderableChart[];
  /** Units that the claim reserves, by account id. */
  readonly units: Units;
}

/**
 * Pure. A step on which workers keep dying gets no more calls; a step that cannot come to its
 * `minImages` for want of quota does not spend what there is.
 */
export function workloadOf(
  situation: Situation,
  stored: ReadonlyMap<string, StoredChart>,
  failedBefore: ReadonlyMap<string, StepError>,
  attempt: number,
  waitOf: WaitOf,
  cached: ReadonlyMap<string, CachedPicture> = new Map(),
): Workload {
  const { charts, inputs, usages } = situation;
  const failed = new Map(failedBefore);
  const open: RenderableChart[] = [];
  for (const chart of charts) {
    if (stored.has(chart.chartTemplateId) || failed.has(chart.chartTemplateId)) continue;
    if (chart.kind === 'fail') failed.set(chart.chartTemplateId, chart.error);
    else open.push(chart);
  }
  const failAll = (errorOf: (chart: RenderableChart) => StepError): Workload => {
    for (const chart of open) failed.set(chart.chartTemplateId, errorOf(chart));
    return { stored, cached, failed, renders: [], units: new Map() };
  };

  if (attempt > MAX_ATTEMPTS) return failAll((chart) => wornOut(chart));
  if (usages.length === 0) return { stored, cached, failed, renders: open, units: new Map() };

  const costly = open.filter(
    ({ chartTemplateId, foresight }) => foresight.kind === 'call' && !cached.has(chartTemplateId),
  );
  const units = deal(
    costly.map(({ needs }) => needs),
    usages,
    waitOf,
  );
  const reachable = stored.size + open.length - costly.length + total(units);
  const minImages = 'minImages' in inputs ? inputs.minImages : 0;
  if (total(units) < costly.length && reachable < minImages) {
    return failAll((chart) => outOfQuota(chart));
  }
  return { stored, cached, failed, renders: open, units };
}

export function outOfQuota(chart: RenderableChart, reason?: string): StepError {
  const { chartTemplateId, request } = chart;
  return {
    code: 'CHART_API_LIMIT_EXCEEDED',
    message: reason ?? 'no account has enough quota left today; it begins anew at 00:00 UTC',
    details: { chartTemplateId, symbol: request.chartImgSymbol },
  };
}

function wornOut({ chartTemplateId, request }: RenderableChart): StepError {
  return {
    code: 'WORKER_LEASE_LOST',
    message: `${MAX_ATTEMPTS} workers died on this step; use --replay to try it again`,
    details: { chartTemplateId, symbol: request.chartImgSymbol },
  };
}
