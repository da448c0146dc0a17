import { describe, expect, test } from 'vitest';
import { unpaced } from '../../src/accounts/pacing.js';
import type { AccountUsage } from '../../src/accounts/usage.js';
import type { ManifestItem } from '../../src/contracts/documents.js';
import type { InvalidInputs, PlannedChart, StepInputs } from '../../src/engine/plan.js';
import { ServerClock, Stopwatch } from '../../src/engine/server-clock.js';
import type { StoredChart } from '../../src/engine/stored-chart.js';
import type { Situation } from '../../src/engine/survey.js';
import { MAX_ATTEMPTS, outOfQuota, workloadOf } from '../../src/engine/workload.js';
import { renderable, runOf } from '../support/engine-samples.js';

const STILL = new Stopwatch({
  now: () => 0,
  monotonic: () => 0,
  random: () => 0,
  sleep: () => Promise.resolve(),
});

interface Scene {
  readonly charts: readonly PlannedChart[];
  /** Units left, an account each. */
  readonly left?: readonly number[];
  readonly minImages?: number;
  readonly stored?: readonly string[];
  readonly attempt?: number;
  readonly inputs?: StepInputs | InvalidInputs;
}

function workload({ charts, left = [], minImages = 1, stored = [], attempt = 1, inputs }: Scene) {
  const situation: Situation = {
    run: runOf({}),
    runVersion: 'v1',
    selected: { stepId: 'a', status: 'READY', entry: 'fresh', expired: false },
    serverClock: new ServerClock(0, STILL),
    leaseDocument: undefined,
    lease: undefined,
    inputs: inputs ?? {
      symbol: 'BTCUSDT',
      timeframe: '1h',
      interval: '1h',
      minImages,
      chartTemplateIds: charts.map(({ chartTemplateId }) => chartTemplateId),
    },
    charts,
    usages: left.map(usage),
  };
  const found = new Map(stored.map((id) => [id, storedChart(id)]));
  const { renders, failed, units } = workloadOf(situation, found, new Map(), attempt, unpaced);
  return {
    renders: renders.map(({ chartTemplateId }) => chartTemplateId),
    failed: Object.fromEntries([...failed].map(([id, { code }]) => [id, code])),
    units: Object.fromEntries(units),
  };
}

function usage(left: number, n: number): AccountUsage {
  return {
    account: { id: `acc-${n}`, apiKey: `key-${n}` },
    day: '2025-12-21',
    limit: 44,
    used: 44 - left,
    left,
    priority: 0,
    closed: undefined,
    version: 'v1',
  };
}

function storedChart(chartTemplateId: string): StoredChart {
  const item: ManifestItem = {
    chartTemplateId,
    kind: 'x',
    generatedAt: '2025-12-21T12:00:00.000Z',
    png_gcs_uri: `gs://b/${chartTemplateId}.png`,
  };
  return { name: `${chartTemplateId}.png`, item };
}

const [A, B, C] = ['a', 'b', 'c'].map((id) => renderable(id)) as [
  PlannedChart,
  PlannedChart,
  PlannedChart,
];
const REPLAYED = renderable('r', {
  foresight: { kind: 'replay', source: 'fixture', fixtureKey: 'r.png' },
});
const WRONG: PlannedChart = {
  kind: 'fail',
  chartTemplateId: 'w',
  error: { code: 'VALIDATION_FAILED', message: 'no' },
};
const NO_QUOTA = 'CHART_API_LIMIT_EXCEEDED';

describe('what is left to do', () => {
  test.each<[string, Scene, ReturnType<typeof workload>]>([
    [
      'all charts, a unit each',
      { charts: [A, B, C], left: [9] },
      { renders: ['a', 'b', 'c'], failed: {}, units: { 'acc-0': 3 } },
    ],
    [
      'no unit where nobody pays',
      { charts: [A, B] },
      { renders: ['a', 'b'], failed: {}, units: {} },
    ],
    [
      'nothing of a chart that failed before',
      { charts: [WRONG, A], left: [9] },
      { renders: ['a'], failed: { w: 'VALIDATION_FAILED' }, units: { 'acc-0': 1 } },
    ],
    [
      'nothing of what is stored',
      { charts: [A, B], left: [9], stored: ['a'] },
      { renders: ['b'], failed: {}, units: { 'acc-0': 1 } },
    ],
    [
      'no unit for a replay',
      { charts: [REPLAYED, A], left: [9] },
      { renders: ['r', 'a'], failed: {}, units: { 'acc-0': 1 } },
    ],
    [
      'nothing where all is stored',
      { charts: [A], left: [9], stored: ['a'] },
      { renders: [], failed: {}, units: {} },
    ],
  ])('is %s', (_what, scene, expected) => {
    expect(workload(scene)).toEqual(expected);
  });
});

describe('quota that is short', () => {
  test.each<[string, Scene]>([
    ['is spent where it is enough for minImages', { charts: [A, B, C], left: [2], minImages: 2 }],
    [
      'is enough together with what is stored',
      { charts: [A, B, C], left: [1], minImages: 2, stored: ['a'] },
    ],
    ['is enough together with replays', { charts: [REPLAYED, B, C], left: [1], minImages: 2 }],
    ['of several accounts is added up', { charts: [A, B, C], left: [1, 1], minImages: 2 }],
    ['does not matter with minImages 0', { charts: [A, B, C], left: [0], minImages: 0 }],
  ])('%s', (_what, scene) => {
    const { renders, failed } = workload(scene);
    expect(failed).toEqual({});
    expect(renders).toEqual(
      scene.charts
        .map((chart) => chart.chartTemplateId)
        .filter((id) => !scene.stored?.includes(id)),
    );
  });

  test.each<[string, Scene, Record<string, string>]>([
    [
      'by one',
      { charts: [A, B, C], left: [2], minImages: 3 },
      { a: NO_QUOTA, b: NO_QUOTA, c: NO_QUOTA },
    ],
    ['with nothing left', { charts: [A], left: [0, 0] }, { a: NO_QUOTA }],
    [
      'with one stored',
      { charts: [A, B, C], left: [1], minImages: 3, stored: ['a'] },
      { b: NO_QUOTA, c: NO_QUOTA },
    ],
    [
      'with a replay',
      { charts: [REPLAYED, A, B], left: [1], minImages: 3 },
      { r: NO_QUOTA, a: NO_QUOTA, b: NO_QUOTA },
    ],
    [
      'with one that failed',
      { charts: [WRONG, A, B], left: [1], minImages: 2 },
      { w: 'VALIDATION_FAILED', a: NO_QUOTA, b: NO_QUOTA },
    ],
  ])('for minImages (%s) is kept: no call', (_what, scene, failed) => {
    expect(workload(scene)).toEqual({ renders: [], failed, units: {} });
  });

  test('is told with chart and symbol', () => {
    const chart = renderable('a');
    expect(outOfQuota(chart)).toEqual({
      code: NO_QUOTA,
      message: expect.stringContaining('00:00 UTC'),
      details: { chartTemplateId: 'a', symbol: 'BINANCE:BTCUSDT' },
    });
    expect(outOfQuota(chart, 'because')).toMatchObject({ message: 'because' });
  });
});

describe('a step on which workers keep dying', () => {
  test('is tried three times', () => {
    const scene = { charts: [A, B], left: [9], attempt: MAX_ATTEMPTS };
    expect(MAX_ATTEMPTS).toBe(3);
    expect(workload(scene)).toMatchObject({ renders: ['a', 'b'], failed: {} });
  });

  test.each([[[]], [[9]]])('then gets no call, and keeps what is stored (accounts: %j)', (left) => {
    expect(workload({ charts: [A, B, WRONG], left, stored: ['a'], attempt: 4 })).toEqual({
      renders: [],
      failed: { b: 'WORKER_LEASE_LOST', w: 'VALIDATION_FAILED' },
      units: {},
    });
  });
});

test('inputs that are wrong leave nothing to do', () => {
  const inputs: InvalidInputs = { error: { code: 'VALIDATION_FAILED', message: 'no' } };
  expect(workload({ charts: [], left: [9], inputs })).toEqual({
    renders: [],
    failed: {},
    units: {},
  });
});
