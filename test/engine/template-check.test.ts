import { describe, expect, onTestFinished, test } from 'vitest';
import type { PlanName } from '../../src/accounts/plans.js';
import type { Foresight } from '../../src/chart-img/chart-provider.js';
import type { Account, JsonObject } from '../../src/contracts/documents.js';
import type { EngineDeps } from '../../src/engine/deps.js';
import { draftCharts, planCharts, type StepInputs } from '../../src/engine/plan.js';
import { recordingLogger } from '../support/engine-samples.js';
import { EIGHT_CHARTS_ACCOUNT, EngineScene, type Fate } from '../support/engine-scene.js';

/** Both have a fixture; what their templates are is up to the test. */
const [ODD, PLAIN] = ['ctpl_price_ma1226_vol_v1', 'ctpl_price_psar_adi_v1'] as const;

describe('a planned template', () => {
  const CALL: Foresight = { kind: 'call', source: 'chart-img' };
  const REPLAY: Foresight = { kind: 'replay', source: 'chart-img', fixtureKey: 'x.png' };

  function planOf(request: JsonObject, foresight: Foresight, plans: readonly PlanName[] = []) {
    const inputs: StepInputs = {
      symbol: 'BTCUSDT',
      timeframe: '1H',
      interval: '1h',
      minImages: 1,
      chartTemplateIds: ['x'],
    };
    const drafts = draftCharts(inputs, (id) => templateOf(id, request), 'Etc/UTC');
    return planCharts(drafts, () => foresight, plans)[0];
  }

  test.each([CALL, REPLAY, { kind: 'missing', fixtureKey: 'f.png' } as const])(
    'that Chart-IMG would refuse fails its chart alone, $kind or not',
    (foresight) => {
      const request = { studies: [{ name: 'Volum' }], width: 3 };
      expect(planOf(request, foresight)).toEqual({
        kind: 'fail',
        chartTemplateId: 'x',
        request: expect.objectContaining({ chartTemplateId: 'x' }),
        error: {
          code: 'VALIDATION_FAILED',
          message:
            'chart template x: request.width: 3 is less than 400, the least there is; ' +
            'request.studies[0].name: "Volum" is not a study of Chart-IMG; did you mean Volume?',
          details: { chartTemplateId: 'x' },
        },
      });
    },
  );

  test('has the first five of its errors in words', () => {
    const studies = Array.from({ length: 9 }, () => ({ name: '?' }));
    const planned = planOf({ studies }, CALL);
    const message = planned?.kind === 'fail' ? planned.error.message : '';
    expect(message.split('; ')).toHaveLength(6);
    expect(message).toMatch(/; and 4 more$/);
  });

  test('too large for every plan at hand fails, but not its recording', () => {
    const large = { width: 1920 };
    expect(planOf(large, CALL, ['BASIC'])).toMatchObject({
      kind: 'fail',
      error: {
        code: 'VALIDATION_FAILED',
        message: expect.stringMatching(/request\.width: 1920 is more .*; plan PRO would do$/),
      },
    });
    expect(planOf(large, CALL, ['BASIC', 'PRO'])).toMatchObject({ kind: 'render' });
    expect(planOf(large, CALL)).toMatchObject({ kind: 'render' });
    expect(planOf(large, REPLAY, ['BASIC'])).toMatchObject({ kind: 'render' });
  });

  test('that is doubtful is rendered, and keeps its doubts', () => {
    const warnings = ['request.studys: is not a known key; did you mean studies?'];
    expect(planOf({ studys: [] }, CALL)).toMatchObject({ kind: 'render', warnings });
    expect(planOf({ studys: [], width: 3 }, CALL)).toMatchObject({ kind: 'fail', warnings });
    expect(planOf({ studys: [] }, { kind: 'missing', fixtureKey: 'f.png' })).toMatchObject({
      error: { code: 'CHART_API_MOCK_MISSING' },
      warnings,
    });
    expect(planOf({}, CALL)).not.toHaveProperty('warnings');
  });
});

function templateOf(id: string, request: JsonObject): JsonObject {
  const chartImgSymbolTemplate = 'BINANCE:{symbol}';
  return { id, description: `about ${id}`, chartImgSymbolTemplate, request };
}

/** The step of two charts, done with this request in the first one's template. */
async function done(
  odd: JsonObject,
  options: { account?: Partial<Account>; fates?: Readonly<Record<number, Fate>> } = {},
) {
  const requests = [ODD, PLAIN].map((chartTemplateId) => ({ chartTemplateId }));
  const scene = await EngineScene.open(onTestFinished, { inputs: { minImages: 1, requests } });
  const { logger, events } = recordingLogger();
  const templates: EngineDeps['templates'] = {
    find: async (id) => templateOf(id, id === ODD ? odd : {}),
  };
  const accounts = [{ ...EIGHT_CHARTS_ACCOUNT, ...options.account }];
  const outcome = await scene.run({
    deps: { templates, logger, accounts },
    fates: options.fates ?? {},
  });
  const called = events
    .filter(({ event }) => event === 'chart_api_call_start')
    .map(({ fields }) => fields.chartTemplateId);
  return { outcome, events, called, unitsUsed: await scene.unitsUsed() };
}

describe('a template that Chart-IMG would refuse', () => {
  test.each<[string, JsonObject, Partial<Account>, RegExp]>([
    [
      'by its study',
      { studies: [{ name: 'Volum' }] },
      {},
      /studies\[0\]\.name: .*did you mean Volume\?$/,
    ],
    ['by its size', { width: 1920 }, { plan: 'BASIC' }, /width: 1920 .*; plan PRO would do$/],
  ])('%s costs nothing, and the other chart comes', async (_what, odd, account, message) => {
    const { outcome, called, unitsUsed } = await done(odd, { account });
    expect(outcome).toMatchObject({
      reason: 'succeeded',
      items: [{ chartTemplateId: PLAIN }],
      failures: [
        {
          request: { chartTemplateId: ODD },
          error: {
            code: 'VALIDATION_FAILED',
            message: expect.stringMatching(message),
            details: { chartTemplateId: ODD },
          },
        },
      ],
    });
    expect(called).toEqual([PLAIN]);
    expect(unitsUsed).toBe(1);
  });

  test('by its size, if the account is small, is asked for where no plan is named', async () => {
    const { outcome, unitsUsed } = await done({ width: 1920 });
    expect(outcome).toMatchObject({ reason: 'succeeded', failures: [] });
    expect(unitsUsed).toBe(2);
  });
});

test('a doubtful template is told of once, before anything is reserved, and rendered', async () => {
  const refused: Fate = async () => ({ status: 'refused' });
  const { outcome, events } = await done({ studys: [] }, { fates: { 0: refused } });
  expect(outcome).toMatchObject({ reason: 'succeeded', failures: [] });

  const names = events.map(({ event }) => event);
  expect(names.filter((name) => name === 'claim_attempt')).toHaveLength(2);
  const told = events.filter(({ event }) => event === 'chart_template_warning');
  expect(told).toEqual([
    {
      severity: 'WARNING',
      event: 'chart_template_warning',
      message: `chart template ${ODD}: request.studys: is not a known key; did you mean studies?`,
      fields: expect.objectContaining({
        stepId: expect.any(String),
        chartTemplateId: ODD,
        warnings: ['request.studys: is not a known key; did you mean studies?'],
      }),
    },
  ]);
  expect(names.indexOf('chart_template_warning')).toBeLessThan(names.indexOf('claim_attempt'));
});
