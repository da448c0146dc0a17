import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editDistance, nearest, nearestName } from '../../src/chart-img/nearest.js';

describe('the distance of two words', () => {
  test.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['input', 'input', 0],
    ['inputs', 'input', 1],
    ['inptu', 'input', 1],
    ['unput', 'input', 1],
    ['ca', 'abc', 3],
    ['kitten', 'sitting', 3],
  ])('%j and %j is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });

  test('is 0 for equals alone, and never more than the longer word', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b);
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
    );
  });
});

describe('the nearest word', () => {
  const KNOWN = ['in_0', 'in_1', 'Volume', 'Volume Oscillator', 'Momentum'];

  test.each([
    ['in_2', 'in_0'],
    ['volume', 'Volume'],
    [' Volume ', 'Volume'],
    ['Volme', 'Volume'],
    ['Volume Oscilator', 'Volume Oscillator'],
    ['length', undefined],
    ['', undefined],
    ['Vol', undefined],
    ['x'.repeat(1e6), undefined],
  ])('to %.20j is %j', (word, known) => {
    expect(nearest(word, KNOWN)).toBe(known);
  });

  test('is at most one slip in three letters away', () => {
    expect(nearest('abcxyz', ['abcdef'])).toBeUndefined();
    expect(nearest('abcdyz', ['abcdef'])).toBe('abcdef');
    expect(nearest('ab', ['ac'])).toBeUndefined();
    expect(nearest('abc', ['abd'])).toBe('abd');
  });

  test('may be known by its initials, a single word is not', () => {
    const names = ['Stochastic', 'Relative Strength Index'];
    expect(nearestName('rsi', names)).toBe('Relative Strength Index');
    expect(nearestName('S', names)).toBeUndefined();
    expect(nearestName('Stochastik', names)).toBe('Stochastic');
  });
});
