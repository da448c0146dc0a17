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

/**
 * For messages alone: the interval that was likely meant, other than `not`. Where only the case is
 * another, that is it: who writes `15M` hardly means as many months, and a person reads the hint.
 * Else the nearest in time, the shorter of two. `undefined`: the text tells no time.
 */
export function nearestInterval(timeframe: string, not?: string): string | undefined {
  const text = timeframe.slice(0, TEXT_MAX).replaceAll(/[\s_-]+/g, '');
  const choice = supportedIntervals().filter((interval) => interval !== not);
  const known = toInterval(text);
  if (known !== undefined && known !== not) return known;
  const recased = choice.find((interval) => interval.toLowerCase() === text.toLowerCase());
  if (recased !== undefined) return recased;
  const minutes = minutesOf(text);
  if (minutes === undefined) return undefined;
  const gap = (interval: string) => Math.abs((minutesOf(interval) ?? 0) - minutes);
  return choice.toSorted((a, b) => gap(a) - gap(b))[0];
}

/** Longer than any word for a time. */
const TEXT_MAX = 20;

const MINUTES: ReadonlyMap<string, number> = new Map([
  ['s', 1 / 60],
  ['m', 1],
  ['h', 60],
  ['d', 1_440],
  ['w', 10_080],
  ['M', 43_200],
  ['y', 525_600],
]);

/** Of `90m`, `1H30`, `4hours`, of `H4` and `MN1` as some platforms write them, of bare minutes. */
function minutesOf(text: string): number | undefined {
  const [, before = '', count = '', after = '', rest = ''] =
    /^([a-z]*)([0-9]+)([a-z]*)([0-9]*)[a-z]*$/i.exec(text) ?? [];
  if (count === '' || (before !== '' && after !== '')) return undefined;
  // In front of its number, M is a minute (M15) and MN a month.
  const unit =
    before === '' ? unitOf(after) : /^mn/i.test(before) ? 'M' : unitOf(before.toLowerCase());
  const minutes = unit === undefined ? undefined : MINUTES.get(unit);
  if (minutes === undefined) return undefined;
  // A second number counts the next smaller unit; only `1H30` was ever seen.
  return Number(count) * minutes + (unit === 'h' ? Number(rest) : 0);
}

function unitOf(word: string): string | undefined {
  if (word === '') return 'm';
  return word === 'M' || /^mo/i.test(word) ? 'M' : word[0]?.toLowerCase();
}

function same(interval: string): readonly [string, string] {
  return [interval, interval];
}
