import { toInterval } from '../../chart-img/intervals.js';
import { unknownInterval } from '../../chart-img/unknown-interval.js';
import { type ChartSymbol, isJsonObject } from '../../contracts/documents.js';
import { validateChartSymbol } from '../../contracts/library.js';
import type { Validated } from '../../contracts/validate.js';

/** Pure: a document of chart_symbols, or everything that is wrong with it as `path: message`. */
export function checkSymbol(document: unknown): Validated<ChartSymbol> {
  const checked = validateChartSymbol(document);
  const errors = checked.ok ? [] : checked.errors.map(inWords);
  const timeframes = isJsonObject(document) ? document.timeframes : undefined;
  if (Array.isArray(timeframes)) {
    for (const [index, timeframe] of timeframes.entries()) {
      if (typeof timeframe !== 'string' || timeframe === '' || toInterval(timeframe)) continue;
      errors.push(`timeframes[${index}]: ${unknownInterval(timeframe)}`);
    }
  }
  return checked.ok && errors.length === 0 ? checked : { ok: false, errors };
}

/** A pattern tells nobody what to write. */
function inWords(error: string): string {
  return error.replace(
    /^(tradingViewSymbol): must match pattern .*/,
    '$1: must be a symbol of TradingView with its exchange, as in XETR:DAX',
  );
}

/** Whether the symbol may be drawn in a timeframe, in whatever spelling of it. */
export function allowsTimeframe({ timeframes }: ChartSymbol, timeframe: string): boolean {
  const interval = toInterval(timeframe);
  return interval !== undefined && timeframes.some((allowed) => toInterval(allowed) === interval);
}
