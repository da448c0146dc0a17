import { describe, expect, test } from 'vitest';
import { isMissed, type Row, ratioRow } from '../../bench/row.js';
import { toTable, verdictOf } from '../../bench/table.js';

function row(figure: number, limit?: number): Row {
  const named = { group: 'step', what: '64 charts', unit: '×', medians: {} };
  return { ...named, figure, ...(limit !== undefined && { limit }) };
}

describe('a limit', () => {
  test.for([
    [1.2, 1.2, 'pass'],
    [1.2001, 1.2, 'FAIL'],
    [0, 0, 'pass'],
    [Number.NaN, 1.2, 'FAIL'],
    [Number.POSITIVE_INFINITY, 1.2, 'FAIL'],
    [99, undefined, 'told'],
  ] as const)('%d of %d: %s', ([figure, limit, verdict]) => {
    expect(verdictOf(row(figure, limit))).toBe(verdict);
    expect(isMissed(row(figure, limit))).toBe(verdict === 'FAIL');
  });
});

test('a ratio is of the first median to the second', () => {
  const medians = { 'step ms': 300, 'bound ms': 200 };
  const made = ratioRow({ group: 'step', what: 'one chart', limit: 1.6 }, medians);
  expect(made).toEqual({
    ...{ group: 'step', what: 'one chart', figure: 1.5, unit: '×', limit: 1.6, medians },
  });
});

test('what was not measured meets no limit', () => {
  const made = ratioRow({ group: 'step', what: 'one chart', limit: 1.6 }, { 'step ms': 300 });
  expect(isMissed(made)).toBe(true);
});

test('the table shows what a verdict was made of, and a missed limit as missed', () => {
  const medians = { 'step ms': 1504.6, 'bound ms': 1250 };
  const slow = ratioRow({ group: 'step', what: '64 charts', limit: 1.2 }, medians);
  const calls = {
    group: 'paced',
    what: 'refused',
    unit: 'calls',
    figure: 0,
    limit: 0,
    medians: {},
  };
  expect(toTable([slow, calls])).toBe(
    [
      'GROUP  WHAT       MEASURED    LIMIT        MEDIANS',
      'step   64 charts    1.204×     1.2×  FAIL  step ms 1505, bound ms 1250',
      'paced  refused     0 calls  0 calls  pass',
      '',
    ].join('\n'),
  );
});
