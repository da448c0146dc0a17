import { type ChartNeeds, smallestPlanFor } from '../accounts/plans.js';
import { nearestInterval } from './intervals.js';
import type { Verdict } from './verdict.js';

/** A verdict that brought no chart. */
export type Refusal = Extract<Verdict, { readonly message: string }>;

/** What a hint has to know of the chart that was refused. */
export interface RefusedChart {
  readonly needs: ChartNeeds;
  readonly request: { readonly chartImgSymbol: string; readonly interval: string };
}

/**
 * Pure. What the reader can do about a refusal, in one clause without the provider's words;
 * `undefined`: nothing that is known.
 */
export function hintFor(
  { kind, httpStatus, message }: Refusal,
  chart: RefusedChart,
): string | undefined {
  switch (kind) {
    case 'plan-too-small':
      return planHint(message, chart.needs);
    case 'key-bad':
      return 'check the apiKey of the account';
    case 'quota-gone':
    case 'quota-unsure':
      return 'the day begins anew at 00:00 UTC';
    case 'too-fast':
      return 'check plan and requestsPerSecond of the account';
    case 'try-again':
      return undefined;
    case 'chart-wrong':
      return chartHint(httpStatus, message, chart.request);
  }
}

/** For one line: the provider's own words, then the hint. */
export function withHint(refusal: Refusal, chart: RefusedChart): string {
  const hint = hintFor(refusal, chart);
  return hint === undefined ? refusal.message : `${refusal.message}; ${hint}`;
}

function planHint(message: string, needs: ChartNeeds): string {
  const size = `${needs.width}×${needs.height} pixels`;
  const count = `${needs.parameters} studies and drawings`;
  const asked = /resolution/i.test(message)
    ? size
    : /parameter/i.test(message)
      ? count
      : `${size} with ${count}`;
  const plan = smallestPlanFor(needs);
  return `the chart asks for ${asked}; ${plan ? `plan ${plan} would do` : 'no plan would do'}`;
}

function chartHint(
  httpStatus: number | undefined,
  message: string,
  { chartImgSymbol, interval }: RefusedChart['request'],
): string | undefined {
  // Words of a 422 alone: another status may quote a page that speaks of anything.
  if (httpStatus === 422) {
    if (/symbol/i.test(message)) {
      return `check the symbol ${chartImgSymbol}; it has to be one of its exchange, e.g. BINANCE:BTCUSDT`;
    }
    if (/interval/i.test(message)) {
      return `${interval} was asked for; nearest is ${nearestInterval(interval, interval)}`;
    }
    if (/(?:studies|drawings)|supported name/i.test(message)) {
      return 'check the studies and drawings of the template';
    }
    return undefined;
  }
  const elsewhere =
    httpStatus === 404 || (httpStatus !== undefined && 300 <= httpStatus && httpStatus < 400);
  return elsewhere ? 'check CHART_IMG_BASE_URL' : undefined;
}
