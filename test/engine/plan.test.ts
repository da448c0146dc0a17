import { describe, expect, test } from 'vitest';
import type { Foresight } from '../../src/chart-img/chart-provider.js';
import type { JsonObject } from '../../src/contracts/documents.js';
import {
  draftCharts,
  planCharts,
  readInputs,
  requestedTemplateIds,
  type StepInputs,
} from '../../src/engine/plan.js';
import { runOf, step } from '../support/engine-samples.js';

function inputsOf(fields: JsonObject = {}, runFields: JsonObject = {}) {
  return readInputs(runOf({ a: step(fields) }, runFields), 'a');
}

function requests(...chartTemplateIds: readonly unknown[]): JsonObject[] {
  return chartTemplateIds.map((chartTemplateId) => ({ chartTemplateId }));
}

describe('inputs', () => {
  test('keep the flow run’s spelling, and trim the symbol', () => {
    const fields = { timeframe: '1H', inputs: { minImages: 1, requests: requests('b', 'a') } };
    expect(inputsOf(fields, { scope: { symbol: ' BTCUSDT\n' } })).toEqual({
      symbol: 'BTCUSDT',
      timeframe: '1H',
      interval: '1h',
      minImages: 1,
      chartTemplateIds: ['b', 'a'],
    });
  });

  test.each([
    [undefined, 3],
    [0, 0],
    [3, 3],
  ])('need %s images: %i', (minImages, needed) => {
    const inputs = {
      ...(minImages !== undefined && { minImages }),
      requests: requests('a', 'b', 'c'),
    };
    expect(inputsOf({ inputs })).toMatchObject({ minImages: needed });
  });

  const IN_STEP = String.raw`^steps\["a"\]\.`;
  const symbol = (value: unknown) => ({ scope: { symbol: value } });
  const asked = (...ids: readonly unknown[]) => ({ inputs: { requests: requests(...ids) } });
  const sixtyFive = Array.from({ length: 65 }, (_, n) => `t${n}`);

  test.each<[string, JsonObject, JsonObject, string]>([
    [
      'a template asked for twice',
      asked('x', 'y', 'x'),
      {},
      `${IN_STEP}inputs.requests\\[2\\].chartTemplateId: x is asked for twice$`,
    ],
    [
      'a template id with a path',
      asked('../x'),
      {},
      `${IN_STEP}inputs.requests\\[0\\].chartTemplateId: must match`,
    ],
    [
      'a template id of every object',
      asked('constructor'),
      {},
      'chartTemplateId: constructor is not allowed$',
    ],
    [
      'too many minImages',
      { inputs: { minImages: 2, requests: requests('x') } },
      {},
      `${IN_STEP}inputs.minImages: 2 is more than the 1 charts asked for$`,
    ],
    [
      'negative minImages',
      { inputs: { minImages: -1, requests: requests('x') } },
      {},
      'minImages: must be >= 0$',
    ],
    ['no request', asked(), {}, 'requests: must NOT have fewer than 1'],
    ['65 requests', asked(...sixtyFive), {}, 'requests: must NOT have more than 64'],
    [
      'an interval of nobody',
      { timeframe: '7m' },
      {},
      `${IN_STEP}timeframe: "7m" is not one of 1m, .*1M, .*1Y; nearest is 5m$`,
    ],
    ['an interval that tells no time', { timeframe: 'daily' }, {}, 'is not one of .*, 1Y$'],
    ['a folded interval', { timeframe: '5M' }, {}, 'timeframe: "5M" is not one of'],
    ['no timeframe', { timeframe: undefined }, {}, `${IN_STEP}timeframe: is required$`],
    [
      'an empty timeframe',
      { timeframe: '' },
      {},
      `${IN_STEP}timeframe: must NOT have fewer than 1 characters$`,
    ],
    ['a symbol with a slash', {}, symbol('BTC/USDT'), '^scope.symbol: must be a base symbol'],
    ['a symbol with white space', {}, symbol('BTC USDT'), '^scope.symbol: must be a base symbol'],
    [
      'a symbol with its exchange',
      {},
      symbol('BINANCE:BTCUSDT'),
      '^scope.symbol: must be a base symbol',
    ],
    [
      'a symbol of every object',
      {},
      symbol(' constructor '),
      '^scope.symbol: must be a base symbol',
    ],
    ['a number for a symbol', {}, symbol(7), '^scope.symbol: must be a base symbol'],
    ['an empty symbol', {}, symbol(''), '^scope.symbol: must be a base symbol'],
    ['no symbol', {}, { scope: {} }, '^scope.symbol: is required$'],
    ['no scope', {}, { scope: undefined }, '^scope.symbol: is required$'],
  ])('with %s are wrong', (_what, fields, runFields, message) => {
    expect(inputsOf(fields, runFields)).toEqual({
      error: { code: 'VALIDATION_FAILED', message: expect.stringMatching(message) },
    });
  });

  test('tell all that is wrong at once, the first five in words', () => {
    const wrong = inputsOf({ timeframe: '7m', ...asked(1, 2, 3, 4, 5) }, { scope: {} });
    const message = 'error' in wrong ? wrong.error.message : '';
    expect(message.split('; ')).toHaveLength(6);
    expect(message).toMatch(/; and 2 more$/);

    const both = inputsOf({ timeframe: '7m' }, { scope: {} });
    const messages = 'error' in both ? both.error.message : '';
    expect(messages).toMatch(/^scope\.symbol: is required; steps\["a"\]\.timeframe: /);
  });
});

describe('the templates that a step may need', () => {
  const many = Array.from({ length: 99 }, (_, n) => `t${n}`);

  test.each<[string, unknown, readonly string[]]>([
    ['are named once', { requests: requests('b', 'a', 'b') }, ['b', 'a']],
    ['can be named', { requests: requests('../x', '__proto__', 'constructor', 7, 'a') }, ['a']],
    ['are found among junk', { requests: [null, 'a', { chartTemplateId: 'a' }] }, ['a']],
    ['are none without a list', { requests: {} }, []],
    ['are none without inputs', null, []],
    ['are 64 at most', { requests: requests(...many) }, many.slice(0, 64)],
  ])('%s', (_what, inputs, ids) => {
    expect(requestedTemplateIds(runOf({ a: step({ inputs }) }), 'a')).toEqual(ids);
  });
});

const INPUTS: StepInputs = {
  symbol: 'BTCUSDT',
  timeframe: '1H',
  interval: '1h',
  minImages: 1,
  chartTemplateIds: ['x', 'y'],
};

function template(id: string, fields: JsonObject = {}): JsonObject {
  return {
    id,
    description: `about ${id}`,
    chartImgSymbolTemplate: 'BINANCE:{symbol}',
    request: {},
    ...fields,
  };
}

describe('a drafted chart', () => {
  test('is a request in the order asked for', () => {
    const drafts = draftCharts(INPUTS, (id) => template(id), 'Europe/Berlin');
    expect(drafts).toMatchObject(
      ['x', 'y'].map((chartTemplateId) => ({
        kind: 'draft',
        chartTemplateId,
        template: template(chartTemplateId),
        request: {
          chartTemplateId,
          chartImgSymbol: 'BINANCE:BTCUSDT',
          timeframe: '1H',
          body: { interval: '1h', timezone: 'Europe/Berlin', format: 'png' },
        },
      })),
    );
  });

  test.each([
    [{}, { width: 800, height: 600, parameters: 0 }],
    [{ width: 1920 }, { width: 1920, height: 600, parameters: 0 }],
    [{ height: 1080 }, { width: 800, height: 1080, parameters: 0 }],
    [
      { studies: [{ name: 'a' }, { name: 'b' }], drawings: [{ name: 'c' }] },
      { width: 800, height: 600, parameters: 3 },
    ],
  ])('of the request %j needs %j', (request, needs) => {
    expect(draftCharts(INPUTS, (id) => template(id, { request }), 'Etc/UTC')).toMatchObject([
      { needs },
      { needs },
    ]);
  });

  test.each<[string, unknown, RegExp]>([
    ['absent', undefined, /^no chart template x$/],
    ['null', null, /^chart template x: \(document\): must be object$/],
    [
      'without {symbol}',
      template('x', { chartImgSymbolTemplate: 'A:B' }),
      /^chart template x: chartImgSymbolTemplate: /,
    ],
    ['of another id', template('z'), /^chart template x: id: must be x, not z$/],
    [
      'wrong in two places',
      template('x', { description: 7, request: [] }),
      /description: .*; request: /,
    ],
  ])('fails alone where its template is %s', (_what, found, message) => {
    const drafts = draftCharts(INPUTS, (id) => (id === 'x' ? found : template(id)), 'Etc/UTC');
    expect(drafts).toEqual([
      {
        kind: 'fail',
        chartTemplateId: 'x',
        error: {
          code: 'VALIDATION_FAILED',
          message: expect.stringMatching(message),
          details: { chartTemplateId: 'x' },
        },
      },
      expect.objectContaining({ kind: 'draft', chartTemplateId: 'y' }),
    ]);
  });
});

describe('a planned chart', () => {
  const drafts = draftCharts(INPUTS, (id) => (id === 'x' ? undefined : template(id)), 'Etc/UTC');
  const planned = (foresight: Foresight | undefined) => planCharts(drafts, () => foresight, []);

  test('that failed stays failed', () => {
    expect(planned({ kind: 'call', source: 'fixture' })[0]).toBe(drafts[0]);
  });

  test.each([
    { kind: 'call', source: 'fixture' },
    { kind: 'replay', source: 'fixture', fixtureKey: 'y.png' },
  ] as const)('is to be rendered where $kind is foreseen', (foresight) => {
    expect(planned(foresight)[1]).toEqual({ ...drafts[1], kind: 'render', foresight });
  });

  test('is a call where nothing is foreseen', () => {
    expect(planned(undefined)[1]).toMatchObject({
      kind: 'render',
      foresight: { kind: 'call', source: 'chart-img' },
    });
  });

  test('fails before any call where its fixture is missing, naming the file', () => {
    expect(planned({ kind: 'missing', fixtureKey: 'f.png' })[1]).toMatchObject({
      kind: 'fail',
      chartTemplateId: 'y',
      request: { chartTemplateId: 'y' },
      error: {
        code: 'CHART_API_MOCK_MISSING',
        message: 'no fixture f.png',
        details: { chartTemplateId: 'y', symbol: 'BINANCE:BTCUSDT', fixtureKey: 'f.png' },
      },
    });
  });
});
