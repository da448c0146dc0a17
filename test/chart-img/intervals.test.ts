import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nearestInterval, supportedIntervals, toInterval } from '../../src/chart-img/intervals.js';

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

describe('the nearest interval', () => {
  test.each([
    ['1H30', '1h'],
    ['1H31', '2h'],
    ['7m', '5m'],
    ['10m', '5m'],
    ['11m', '15m'],
    ['60', '1h'],
    ['240', '4h'],
    ['90min', '1h'],
    ['4 hours', '4h'],
    ['10h', '8h'],
    ['5d', '3D'],
    ['2w', '1W'],
    ['30s', '1m'],
    ['4M', '3M'],
    ['2months', '1M'],
    ['2y', '1Y'],
    ['H4', '4h'],
    ['M15', '15m'],
    ['MN1', '1M'],
    ['15M', '15m'],
    ['6m', '6M'],
    ['daily', undefined],
    ['4x', undefined],
    ['H4h', undefined],
    ['', undefined],
    ['constructor', undefined],
  ])('to %j is %s', (timeframe, interval) => {
    expect(nearestInterval(timeframe)).toBe(interval);
  });

  test('is the interval itself where there is one, or the next best', () => {
    for (const [timeframe, interval] of TABLE) {
      expect(nearestInterval(timeframe)).toBe(interval);
      expect(nearestInterval(timeframe, interval)).not.toBe(interval);
    }
    expect(nearestInterval('1h', '1h')).toBe('45m');
  });

  test('is one of Chart-IMG’s, whatever the text', () => {
    const near = fc.stringMatching(/^[mhdwyMHDWYs]{0,2}[0-9]{0,400}[a-zA-Z]{0,4}[0-9]{0,2}$/);
    fc.assert(
      fc.property(fc.oneof(near, fc.string()), (text) => {
        expect([undefined, ...CHART_IMG]).toContain(nearestInterval(text));
      }),
    );
  });
});
