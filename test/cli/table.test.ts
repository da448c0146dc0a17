import { describe, expect, test } from 'vitest';
import { ago, duration } from '../../src/cli/durations.js';
import { displayWidth, plain, rowsOf, table, truncate } from '../../src/cli/table.js';

const COLUMNS = [{ head: 'NAME' }, { head: 'N', align: 'right' }, { head: 'WORDS' }] as const;
const cells = (...texts: string[]) => texts.map((text) => ({ text }));
const ROWS = [cells('a', '1', 'one'), cells('a-much-longer-name', '22', '東京 two')];

describe('a table', () => {
  test('is aligned by what is seen, without blanks at the end', () => {
    expect(table(COLUMNS, ROWS, Number.POSITIVE_INFINITY)).toEqual([
      'NAME                 N  WORDS',
      'a                    1  one',
      'a-much-longer-name  22  東京 two',
    ]);
  });

  test('is no wider than it may be; the widest column gives way', () => {
    const lines = table(COLUMNS, ROWS, 24);
    expect(lines).toEqual([
      'NAME         N  WORDS',
      'a            1  one',
      'a-much-lo…  22  東京 two',
    ]);
    for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(24);
  });

  test('is stacked where it does not fit, and nothing is lost', () => {
    expect(table(COLUMNS, ROWS, 12)).toEqual([
      ...['NAME: a', 'N: 1', 'WORDS: one', ''],
      ...['NAME: a-much-longer-name', 'N: 22', 'WORDS: 東京 two'],
    ]);
  });

  test('takes no room for paint', () => {
    const paint = (text: string) => `\u001b[31m${text}\u001b[39m`;
    const [, line] = table(
      [{ head: 'ABCDEF' }, { head: 'X' }],
      [[{ text: 'ab', paint }, { text: 'x' }]],
      80,
    );
    expect(line).toBe('\u001b[31mab\u001b[39m      x');
    expect(rowsOf([paint('12345678')], 8)).toBe(1);
    expect(rowsOf(['', '123456789'], 8)).toBe(3);
  });
});

test('wide text is cut between its letters', () => {
  expect(truncate('東京東京', 5)).toBe('東京…');
  expect(truncate('abc', 3)).toBe('abc');
});

test('what a document says cannot steer the terminal', () => {
  expect(plain('a\nb\u001b[2J\u202ec')).toBe('a b\\u001b[2J\\u202ec');
});

test.each([
  [-5, '0 s'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [3_599_000, '59 min 59 s'],
  [11_520_000, '3 h 12 min'],
  [86_400_000 + 5_000, '1 d'],
])('%i ms are %s', (ms, words) => {
  expect(duration(ms)).toBe(words);
});

test('a clock that is a little ahead says just now', () => {
  expect([ago(-3_000), ago(61_000)]).toEqual(['just now', '1 min 1 s ago']);
});
