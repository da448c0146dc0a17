import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isChartTemplateId, isRunId, isStepId, isSymbol } from '../../src/contracts/ids.js';
import { isLibrarySymbol } from '../../src/contracts/library.js';

/** What becomes a document id or a folder; a symbol is only ever a part of a name. */
const WHOLE_NAMES = { isRunId, isStepId, isChartTemplateId };
const ALL = { ...WHOLE_NAMES, isSymbol };

const HOSTILE = [
  '',
  '.',
  '..',
  '../../etc/passwd',
  'a/b',
  'a\\b',
  '/a',
  ' ',
  'a b',
  'a\0',
  'a\n',
  'a%2Fb',
  'ключ',
  'a\u202e',
  '-a',
  '_a',
  ...Object.getOwnPropertyNames(Object.prototype),
  ...[undefined, null, 7, true, [], ['a'], {}, { toString: () => 'a' }],
];

/** Near the patterns, so that the properties meet accepted ids as well as refused ones. */
const texts = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom(...'aZ0:._-!&/\\ \n%') }),
  fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9:._-]{0,20}$/),
  fc.stringMatching(/^[0-9]{8}-[0-9]{6}_[A-Z0-9]{1,5}(-[A-Z0-9]{1,3}){0,2}_[a-z0-9]{2,7}$/),
  fc.constantFrom(...HOSTILE.filter((value) => typeof value === 'string')),
);

describe.each(Object.entries(ALL))('%s', (name, accepts) => {
  test('refuses what is hostile or no text', () => {
    const allowedElsewhere = name === 'isSymbol' ? ['.', '..', '-a', '_a', 'a\n'] : [];
    for (const value of HOSTILE.filter((text) => !allowedElsewhere.includes(String(text)))) {
      expect(accepts(value), JSON.stringify(value)).toBe(false);
    }
  });

  test('accepts nothing that every object has, and nothing with a slash', () => {
    fc.assert(
      fc.property(texts, (text) => {
        fc.pre(accepts(text));
        expect(text).not.toMatch(/[/\\\0%]/);
        expect(text in {}).toBe(false);
      }),
    );
  });
});

describe.each(Object.entries(WHOLE_NAMES))('%s', (_name, accepts) => {
  test('accepts only one visible line that begins with a letter or digit', () => {
    fc.assert(
      fc.property(texts, (text) => {
        fc.pre(accepts(text));
        expect(text).toMatch(/^[A-Za-z0-9][A-Za-z0-9:._-]*$/);
        expect(text).not.toContain('\n');
      }),
    );
  });
});

interface Row {
  readonly accepts: (value: unknown) => boolean;
  /** Of the design, where length and the names of objects are left out. */
  readonly pattern: RegExp;
  readonly longest: number;
  readonly good: readonly string[];
  readonly bad: readonly string[];
}

const rows: Readonly<Record<string, Row>> = {
  'a run id': {
    accepts: isRunId,
    pattern: /^[0-9]{8}-[0-9]{6}_[A-Z0-9]+(?:-[A-Z0-9]+)*_[a-z0-9]{3,6}$/,
    longest: 100,
    good: [
      '20251221-120000_BTCUSDT_demo',
      '20251221-120000_BTC-USDT-PERP_a1b2c3',
      `${'0'.repeat(8)}-000000_A_abc`,
    ],
    bad: [
      '20251221-120000_BTCUSDT_de',
      '20251221-120000_BTCUSDT_demo123',
      '20251221-120000_btcusdt_demo',
      '20251221-120000_BTCUSDT_DEMO',
      '20251221-120000_BTC--USDT_demo',
      '20251221-120000_-BTC_demo',
      '2025122-120000_BTCUSDT_demo',
      '20251221_120000_BTCUSDT_demo',
      'x20251221-120000_BTCUSDT_demo',
      '20251221-120000_BTCUSDT_demo\n',
    ],
  },
  'a step id': {
    accepts: isStepId,
    pattern: /^[A-Za-z0-9][A-Za-z0-9:._-]{0,199}$/,
    longest: 200,
    good: ['a', '0', 'charts:1H:ctpl_price_ma1226_vol_v1', 'a..b', 'a'.repeat(200)],
    bad: [':a', '.a', 'a'.repeat(201), 'a:b/c', 'a*', 'a~', 'a[0]', 'a`b'],
  },
  'a chart template id': {
    accepts: isChartTemplateId,
    pattern: /^[A-Za-z0-9][A-Za-z0-9_-]{0,79}$/,
    longest: 80,
    good: ['a', 'ctpl_price_ma1226_vol_v1', 'A-b_C', 'a'.repeat(80)],
    bad: ['a.b', 'a:b', 'a'.repeat(81), '__x__', '$a'],
  },
  'a symbol of the library': {
    accepts: isLibrarySymbol,
    pattern: /^[A-Za-z0-9][A-Za-z0-9._!&-]{0,39}$/,
    longest: 40,
    good: ['DAX', 'ES1!', 'BRK.B', 'M&M', 'a-b_c', 'A'.repeat(40)],
    bad: ['^GDAXI', '.', '..', '__x__', '-a', 'BTC/USDT', 'A'.repeat(41), ' DAX', 'DAX\n', ''],
  },
  'a symbol': {
    accepts: isSymbol,
    pattern: /^\s*[A-Za-z0-9._!&-]{1,40}\s*$/,
    longest: 40,
    good: ['BTCUSDT', 'ES1!', 'BRK.B', 'M&M', 'a-b_c', ' BTCUSDT\n', 'A'.repeat(40)],
    bad: ['BINANCE:BTCUSDT', 'BTC/USDT', 'BTC USDT', 'A'.repeat(41), '$&', 'BTC{symbol}', '   '],
  },
};

describe.each(Object.entries(rows))('%s', (_what, { accepts, pattern, longest, good, bad }) => {
  test.each(good)('may be %j', (text) => expect(accepts(text)).toBe(true));
  test.each(bad)('is not %j', (text) => expect(accepts(text)).toBe(false));

  test('is exactly what the pattern says', () => {
    fc.assert(
      fc.property(fc.oneof(texts, fc.stringMatching(pattern)), (text) => {
        const says = pattern.test(text) && text.length <= longest && !(text in Object.prototype);
        fc.pre(text.trim() === text);
        expect(accepts(text)).toBe(says);
      }),
    );
  });
});
