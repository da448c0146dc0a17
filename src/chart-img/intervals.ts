/**
 * Flow-run spelling → Chart-IMG's interval. An exact table, nothing is folded: `1m` is a minute
 * and `1M` a month. The right-hand side is all that Chart-IMG knows.
 */
const INTERVALS: ReadonlyMap<string, string> = new Map([
  ...['1m', '2m', '3m', '5m', '15m', '30m', '45m'].map(same),
  ...['1h', '2h', '3h', '4h', '6h', '8h', '12h'].flatMap((hours) => [
    same(hours),
    [hours.toUpperCase(), hours] as const,
  ]),
  ...['1D', '2D', '3D', '1W'].flatMap((days) => [same(days), [days.toLowerCase(), days] as const]),
  ...['1M', '3M', '6M', '1Y'].map(same),
  ['1y', '1Y'],
]);

/** `undefined`: no interval of Chart-IMG is spelt so. */
export function toInterval(timeframe: string): string | undefined {
  return INTERVALS.get(timeframe);
}

/** For messages: the spellings that Chart-IMG itself uses. */
export function supportedIntervals(): string[] {
  return [...new Set(INTERVALS.values())];
}

function same(interval: string): readonly [string, string] {
  return [interval, interval];
}
