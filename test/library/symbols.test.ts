import { describe, expect, test } from 'vitest';
import { PLAN_NAMES, type PlanName } from '../../src/accounts/plans.js';
import { checkTemplate } from '../../src/chart-img/template-check.js';
import { ChartSymbols } from '../../src/library/symbols/chart-symbols.js';
import { allowsTimeframe, checkSymbol } from '../../src/library/symbols/check-symbol.js';
import { DEFAULT_SIZE, fitToPlan } from '../../src/library/symbols/fit-to-plan.js';
import { defaultsOf, INDICATORS, studiesOf } from '../../src/library/symbols/indicators.js';
import { STARTER_SET } from '../../src/library/symbols/starter-set.js';
import { MemoryDocumentStore } from '../support/memory-document-store.js';

const studies = (...names: string[]) => {
  const found = studiesOf(names);
  if (!found.ok) throw new Error(found.errors.join());
  return found.value;
};
const request = (...names: string[]) => ({ ...DEFAULT_SIZE, studies: studies(...names) });

describe('indicators', () => {
  test('are studies as Chart-IMG documents them', () => {
    const template = {
      chartImgSymbolTemplate: 'X:{symbol}',
      request: { ...DEFAULT_SIZE, studies: studies(...INDICATORS) },
    };
    expect(checkTemplate(template, ['ULTRA'])).toEqual({ errors: [], warnings: [] });
    expect(studies('EMA_200')).toMatchObject([
      { name: 'Moving Average Exponential', input: { length: 200 } },
    ]);
  });

  test('unknown ones are all named, each with what was meant', () => {
    expect(studiesOf(['RSI', 'ema_20', 'constructor'])).toEqual({
      ok: false,
      errors: [
        '"ema_20" is not an indicator; did you mean EMA_20?',
        `"constructor" is not an indicator; known are ${INDICATORS.join(', ')}`,
      ],
    });
  });

  test('named twice are drawn once', () => {
    expect(studies('RSI', 'ATR', 'RSI').map(({ name }) => name)).toEqual([
      'Relative Strength Index',
      'Average True Range',
    ]);
  });
});

describe('what a plan draws', () => {
  test.each<[PlanName[], string[], string[]]>([
    [
      ['BASIC'],
      ['800×600', 'EMA_20, EMA_50, EMA_200'],
      [
        'drawn at 800×600 instead of 1920×1200: plan BASIC draws no more',
        'drawn without RSI, Volume: plan BASIC draws 3 studies and drawings',
      ],
    ],
    [
      ['BASIC', 'PRO'],
      ['1920×1080', 'EMA_20, EMA_50, EMA_200, RSI, Volume'],
      ['drawn at 1920×1080 instead of 1920×1200: plan PRO draws no more'],
    ],
    [['MEGA'], ['1920×1200', 'EMA_20, EMA_50, EMA_200, RSI, Volume'], []],
    [[], ['1920×1200', 'EMA_20, EMA_50, EMA_200, RSI, Volume'], []],
  ])('of %j: %j', (plans, [size, names], notices) => {
    const asked = request(...defaultsOf('index'));
    const before = structuredClone(asked);
    const fitted = fitToPlan(asked, plans);
    const { width, height } = fitted.request;
    expect(`${width}×${height}`).toBe(size);
    expect(fitted.request.studies).toEqual(studies(...(names ?? '').split(', ')));
    expect(fitted.notices).toEqual(notices);
    expect(asked).toEqual(before);
  });

  test('drawings stay, and whatever the plan, the check has nothing to say of what is left', () => {
    const drawing = { name: 'Horizontal Line', input: { price: 1 } };
    for (const plan of PLAN_NAMES) {
      const { request: fitted } = fitToPlan(
        { ...request(...INDICATORS), drawings: [drawing, drawing] },
        [plan],
      );
      expect(fitted.drawings).toHaveLength(2);
      const template = { chartImgSymbolTemplate: 'X:{symbol}', request: fitted };
      expect(checkTemplate(template, [plan]).errors).toEqual([]);
    }
  });
});

describe('symbols', () => {
  const dax = STARTER_SET.get('DAX');
  const store = () => new ChartSymbols(new MemoryDocumentStore(Date.now));

  test('the starter set is right, and found by id, alias and name', async () => {
    for (const document of STARTER_SET.values()) {
      expect(checkSymbol(document)).toEqual({ ok: true, value: document });
    }
    const symbols = store();
    for (const name of ['DAX', '^GDAXI', 'DAX 40']) {
      expect(await symbols.find(name), name).toMatchObject({ symbol: 'DAX', origin: 'starter' });
    }
    expect(await symbols.find('EURUSD')).toMatchObject({
      document: { tradingViewSymbol: 'OANDA:EURUSD', assetClass: 'forex' },
    });
    for (const name of ['dax', '', '../x', 'constructor']) {
      expect(await symbols.find(name), name).toBeUndefined();
    }
  });

  test('a document goes before the starter set’s, keeps foreign fields, and may be broken', async () => {
    const documents = new MemoryDocumentStore(Date.now);
    const symbols = new ChartSymbols(documents);
    const path = 'chart_symbols/DAX';
    await documents.commit([
      { kind: 'put', path, data: { theirs: 1, defaultIndicators: ['RSI'] } },
    ]);
    expect(await symbols.find('DAX')).toMatchObject({ kind: 'broken', symbol: 'DAX' });
    if (!dax) throw new Error('DAX is missing');
    await symbols.put('DAX', { ...dax, enabled: false });
    expect((await documents.read([path])).get(path)?.data).toEqual({
      theirs: 1,
      ...dax,
      enabled: false,
    });
    expect(await symbols.find('^GDAXI')).toMatchObject({
      origin: 'stored',
      document: { enabled: false },
    });
    expect((await symbols.list()).map(({ symbol }) => symbol)).toEqual([
      'DAX',
      'DJI',
      'EURGBP',
      'EURUSD',
      'NDX',
    ]);
  });

  test('a timeframe counts in every spelling of it, and wrong ones are said', () => {
    if (!dax) throw new Error('DAX is missing');
    expect(['4H', '1d', '1D', '1M'].map((name) => allowsTimeframe(dax, name))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(['2h', '1min', ''].map((name) => allowsTimeframe(dax, name))).toEqual([
      false,
      false,
      false,
    ]);
    expect(checkSymbol({ ...dax, timeframes: ['1h', '4 hours'], extra: 1 })).toEqual({
      ok: false,
      errors: [
        'extra: is not a known field',
        'timeframes[1]: "4 hours" is not an interval of Chart-IMG; did you mean 4h?',
      ],
    });
  });
});
