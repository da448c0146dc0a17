import { nearestInterval, supportedIntervals, toInterval } from '../../chart-img/intervals.js';
import { type ChartSymbol, isJsonObject } from '../../contracts/documents.js';
import { type Validated, validateChartSymbol } from '../../contracts/validate.js';

/** Pure: a document of chart_symbols, or everything that is wrong with it as `path: message`. */
export function checkSymbol(document: unknown): Validated<ChartSymbol> {
  const checked = validateChartSymbol(document);
  const errors = checked.ok ? [] : [...checked.errors];
  const timeframes = isJsonObject(document) ? document.timeframes : undefined;
  if (Array.isArray(timeframes)) {
    for (const [index, timeframe] of timeframes.entries()) {
      if (typeof timeframe !== 'string' || timeframe === '' || toInterval(timeframe)) continue;
      errors.push(`timeframes[${index}]: ${unknownTimeframe(timeframe)}`);
    }
  }
  return checked.ok && errors.length === 0 ? checked : { ok: false, errors };
}

/** In words, with the interval that was likely meant. */
export function unknownTimeframe(timeframe: string): string {
  const near = nearestInterval(timeframe);
  const hint =
    near === undefined ? `known are ${supportedIntervals().join(' ')}` : `did you mean ${near}?`;
  return `${JSON.stringify(timeframe.slice(0, 40))} is not an interval of Chart-IMG; ${hint}`;
}

/** Whether the symbol may be drawn in a timeframe, in whatever spelling of it. */
export function allowsTimeframe({ timeframes }: ChartSymbol, timeframe: string): boolean {
  const interval = toInterval(timeframe);
  return interval !== undefined && timeframes.some((allowed) => toInterval(allowed) === interval);
}
