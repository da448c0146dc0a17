import { describe, expect, test } from 'vitest';
import { type Figures, interleaved, median, mediansOf } from '../../bench/measure.js';

describe('a median', () => {
  test.for([
    [[3], 3],
    [[30, 4, 100], 30],
    [[4, 1, 3, 2], 2.5],
    [[-1, -5, 0], -1],
  ] as const)('of %j is %d', ([values, wanted]) => {
    expect(median(values)).toBe(wanted);
  });

  test('of nothing, or of what was not measured, is none', () => {
    expect(() => median([])).toThrow('no median');
    expect(() => median([1, Number.NaN, 2])).toThrow('no median');
  });

  test('is of each figure by itself', () => {
    const runs: Figures[] = [
      { durationMs: 1, cpuMs: 30 },
      { durationMs: 3, cpuMs: 10 },
      { durationMs: 2, cpuMs: 20 },
    ];
    expect(mediansOf(runs)).toEqual({ durationMs: 2, cpuMs: 20 });
  });
});

test('contenders take turns, everyone once a round, and each comes first as often', async () => {
  const order: string[] = [];
  const contender = (name: string) => async (round: number) => {
    order.push(`${round}${name}`);
    return { ms: 0 };
  };
  await interleaved({ a: contender('a'), b: contender('b'), c: contender('c') }, 3);
  expect(order.join(' ')).toBe('0a 0b 0c 1b 1c 1a 2c 2a 2b 3a 3b 3c');
});

test('the first round warms up and does not count', async () => {
  const slowAtFirst = async (round: number) => ({ ms: round === 0 ? 1_000 : round });
  expect(await interleaved({ slowAtFirst }, 2)).toEqual({ slowAtFirst: { ms: 1.5 } });
});

test('a contender that fails ends the measurement', async () => {
  const failing = async () => Promise.reject(new Error('not 64 charts'));
  await expect(interleaved({ failing }, 1)).rejects.toThrow('not 64 charts');
});
