import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type LiveFields, toChartRequest } from '../../src/chart-img/chart-request.js';
import type { ChartTemplate, JsonObject } from '../../src/contracts/documents.js';

const LIVE: LiveFields = {
  symbol: 'BTCUSDT',
  timeframe: '1H',
  interval: '1h',
  timezone: 'Etc/UTC',
};

function template(fields: Partial<ChartTemplate> = {}): ChartTemplate {
  return {
    id: 'ctpl_a',
    description: 'a',
    chartImgSymbolTemplate: 'BINANCE:{symbol}',
    request: { height: 600 },
    ...fields,
  };
}

describe('{symbol}', () => {
  test('is replaced wherever it stands', () => {
    const chartImgSymbolTemplate = '{symbol}:{symbol}/{symbol}.P{symbo}{SYMBOL}';
    const { chartImgSymbol, body } = toChartRequest(template({ chartImgSymbolTemplate }), LIVE);
    expect(chartImgSymbol).toBe('BTCUSDT:BTCUSDT/BTCUSDT.P{symbo}{SYMBOL}');
    expect(body.symbol).toBe(chartImgSymbol);
  });

  test.each(['$&', '$1', '$$', "$'", '$`', 'M&M', '{symbol}'])('becomes %s literally', (symbol) => {
    const { chartImgSymbol } = toChartRequest(template(), { ...LIVE, symbol });
    expect(chartImgSymbol).toBe(`BINANCE:${symbol}`);
  });

  test('is all that changes', () => {
    const parts = fc.array(fc.stringMatching(/^[^{}]*$/), { minLength: 2 });
    fc.assert(
      fc.property(parts, fc.string(), (around, symbol) => {
        const chartImgSymbolTemplate = around.join('{symbol}');
        const live = { ...LIVE, symbol };
        const request = toChartRequest(template({ chartImgSymbolTemplate }), live);
        expect(request.chartImgSymbol).toBe(around.join(symbol));
      }),
    );
  });
});

describe('the body', () => {
  test('is the template’s request with the live fields, which win', () => {
    const request = {
      symbol: 'NASDAQ:MINE',
      interval: '5m',
      timezone: 'Mars/Olympus',
      format: 'jpeg',
      style: 'candle',
      studies: [{ name: 'Volume' }],
    };
    const live = { ...LIVE, timezone: 'Europe/Berlin' };
    expect(toChartRequest(template({ request }), live)).toEqual({
      chartTemplateId: 'ctpl_a',
      chartImgSymbol: 'BINANCE:BTCUSDT',
      interval: '1h',
      timeframe: '1H',
      body: {
        symbol: 'BINANCE:BTCUSDT',
        interval: '1h',
        timezone: 'Europe/Berlin',
        format: 'png',
        style: 'candle',
        studies: [{ name: 'Volume' }],
      },
      requestHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(request).toHaveProperty('format', 'jpeg');
  });
});

describe('the hash', () => {
  test('knows no order of keys, at any depth', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (request) => {
        expect(hashOf(turned(request) as JsonObject)).toBe(hashOf(request));
      }),
    );
  });

  test('knows the order of a list', () => {
    const studies = [{ name: 'Volume' }, { name: 'MACD' }];
    expect(hashOf({ studies })).not.toBe(hashOf({ studies: [...studies].reverse() }));
  });

  test('differs where the bodies do', () => {
    const requests = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.jsonValue({ maxDepth: 2 }));
    fc.assert(
      fc.property(requests, requests, (a, b) => {
        const same = stable(a) === stable(b);
        expect(hashOf(a) === hashOf(b)).toBe(same);
      }),
    );
  });

  test.each<Partial<LiveFields>>([
    { symbol: 'ETHUSDT' },
    { interval: '1D' },
    { timezone: 'Europe/Berlin' },
  ])('differs with %j', (live) => {
    const changed = toChartRequest(template(), { ...LIVE, ...live });
    expect(changed.requestHash).not.toBe(toChartRequest(template(), LIVE).requestHash);
  });

  test('knows neither the template’s name nor the flow run’s spelling', () => {
    const same = toChartRequest(template({ id: 'other', description: 'b' }), {
      ...LIVE,
      timeframe: '1h',
    });
    expect(same.requestHash).toBe(toChartRequest(template(), LIVE).requestHash);
  });
});

function hashOf(request: JsonObject): string {
  return toChartRequest(template({ request: request as ChartTemplate['request'] }), LIVE)
    .requestHash;
}

/** The same value with every object's keys the other way round. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([key, child]) => [key, turned(child)]));
}

/** A text that is equal for equal values, made another way than the code's. */
function stable(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stable)}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(
    ([key, child]) => `${JSON.stringify(key)}:${stable(child)}`,
  );
  return `{${entries.sort()}}`;
}
