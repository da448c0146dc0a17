import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { supportedIntervals, toInterval } from '../../src/chart-img/intervals.js';

const CHART_IMG = '1m 2m 3m 5m 15m 30m 45m 1h 2h 3h 4h 6h 8h 12h 1D 2D 3D 1W 1M 3M 6M 1Y'.split(
  ' ',
);

/** Spellings of flow runs that Chart-IMG does not know. */
const OTHERS: Readonly<Record<string, string>> = {
  '1H': '1h',
  '2H': '2h',
  '3H': '3h',
  '4H': '4h',
  '6H': '6h',
  '8H': '8h',
  '12H': '12h',
  '1d': '1D',
  '2d': '2D',
  '3d': '3D',
  '1w': '1W',
  '1y': '1Y',
};

const TABLE = new Map([
  ...CHART_IMG.map((name) => [name, name] as const),
  ...Object.entries(OTHERS),
]);

describe('an interval', () => {
  test.each([...TABLE])('%s is %s', (timeframe, interval) => {
    expect(toInterval(timeframe)).toBe(interval);
  });

  test('of a minute is not one of a month', () => {
    expect([toInterval('1m'), toInterval('1M')]).toEqual(['1m', '1M']);
    expect([toInterval('3m'), toInterval('3M')]).toEqual(['3m', '3M']);
    for (const folded of ['2M', '5M', '15M', '45M', '6m']) {
      expect(toInterval(folded), folded).toBeUndefined();
    }
  });

  test('is nothing outside the table', () => {
    const near = fc.stringMatching(/^ ?[0-9]{0,2}[mhdwyMHDWYs]{0,2} ?$/);
    const texts = fc.oneof(
      near,
      fc.string(),
      fc.constantFrom('', 'constructor', '__proto__', '60'),
    );
    fc.assert(fc.property(texts, (text) => toInterval(text) === TABLE.get(text)));
  });

  test('is offered in Chart-IMG’s own spelling', () => {
    expect(supportedIntervals()).toEqual(CHART_IMG);
  });
});
