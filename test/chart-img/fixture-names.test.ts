import { basename, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChartRequest } from '../../src/chart-img/chart-request.js';
import {
  errorFixtureStatus,
  fixtureStem,
  pngFixtureName,
} from '../../src/chart-img/fixture-names.js';

function chart(chartImgSymbol: string, timeframe = '1h', chartTemplateId = 'ctpl_a'): ChartRequest {
  return {
    chartImgSymbol,
    timeframe,
    chartTemplateId,
    interval: '1h',
    body: {},
    requestHash: '0'.repeat(64),
  };
}

describe('the name of a fixture', () => {
  test.each([
    ['BINANCE_BTCUSDT__1h__ctpl_a.png', chart('BINANCE:BTCUSDT')],
    ['BINANCE_BTCUSDT__1H__ctpl_a.png', chart('BINANCE:BTCUSDT', '1H')],
    ['BYBIT_BTCUSDT.P__1M__ctpl_a.png', chart('BYBIT:BTCUSDT.P', '1M')],
    ['A_B_C__1h__ctpl_a.png', chart('A:B:C')],
    ['CME_ES1%21__1h__ctpl_a.png', chart('CME:ES1!')],
    ['NYSE_M%26M__1h__ctpl_a.png', chart('NYSE:M&M')],
    ['%2E.%2F..%2Fetc%2Fpasswd__1h__ctpl_a.png', chart('../../etc/passwd')],
    ['%2E.__%2E.__%2E..png', chart('..', '..', '..')],
    ['a%5Cb%00__1h__ctpl_a.png', chart('a\\b\0')],
  ])('may be %s', (name, request) => {
    expect(pngFixtureName(request)).toBe(name);
    expect(`${fixtureStem(request)}.png`).toBe(name);
  });

  test('never leaves its folder, and is never hidden', () => {
    const hostile = fc.string({ unit: fc.constantFrom('.', '/', '\\', ':', '%', '\0', 'é', 'A') });
    const texts = fc.oneof(fc.string(), hostile);
    fc.assert(
      fc.property(texts, texts, texts, (...parts) => {
        const name = pngFixtureName(chart(...parts));
        expect(name).toMatch(/^(?!\.)(?:[A-Za-z0-9._-]|%[0-9A-F]{2})+\.png$/);
        expect(basename(join('folder', name))).toBe(name);
      }),
    );
  });
});

describe('an error fixture', () => {
  const request = chart('BINANCE:BTCUSDT', '1h', 'ctpl_a');
  const STEM = 'BINANCE_BTCUSDT__1h__ctpl_a__';

  test.each([
    [`${STEM}429_LIMIT_EXCEEDED.json`, 429],
    [`${STEM}422_INVALID_SYMBOL.json`, 422],
    [`${STEM}500_X.json`, 500],
    [`${STEM}400_${'A'.repeat(40)}.json`, 400],
    [`${STEM}400_${'A'.repeat(41)}.json`, undefined],
    [`${STEM}429_.json`, undefined],
    [`${STEM}429.json`, undefined],
    [`${STEM}429_limit.json`, undefined],
    [`${STEM}42_X.json`, undefined],
    [`${STEM}600_X.json`, undefined],
    [`${STEM}4290_X.json`, undefined],
    [`${STEM}429_X.json.bak`, undefined],
    [`${STEM}429_X.png`, undefined],
    [`${STEM}429_X/../y.json`, undefined],
    ['BINANCE_BTCUSDT__1h__ctpl_a.png', undefined],
    ['BINANCE_BTCUSDT__1H__ctpl_a__429_X.json', undefined],
    ['BINANCE_BTCUSDT__1h__ctpl_ab__429_X.json', undefined],
    [`x${STEM}429_X.json`, undefined],
  ])('%s stands for %s', (fileName, status) => {
    expect(errorFixtureStatus(request, fileName)).toBe(status);
  });
});
