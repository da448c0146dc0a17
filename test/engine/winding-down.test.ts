import { expect, test } from 'vitest';
import type { ArtifactStore } from '../../src/artifacts/artifact-store.js';
import type { ChartProvider } from '../../src/chart-img/chart-provider.js';
import { FixtureProvider } from '../../src/chart-img/fixture-provider.js';
import { bundled } from '../../src/config/bundled.js';
import { paths } from '../../src/documents/paths.js';
import { EIGHT_CHARTS_ACCOUNT, EngineScene } from '../support/engine-scene.js';

const RUN_ID = '20251221-120000_BTCUSDT_demo';
const STEP_ID = 'charts:1H:test';
const A = 'ctpl_price_ma1226_vol_v1';
const B = 'ctpl_price_rsi14_stochrsi_v1';
const C = 'ctpl_price_psar_adi_v1';
const requests = [A, B, C].map((chartTemplateId) => ({ chartTemplateId }));

const ONE_BY_ONE = {
  concurrency: 1,
  timeoutMs: 20_000,
  leaseTtlMs: 60_000,
  timezone: 'Etc/UTC',
  chartsApiMode: 'mock',
  isLive: false,
};

/** Runs the step on the scene's own bucket but for what `by` makes, which may ask it to end. */
function endedBy(scene: EngineScene, by: (end: () => void) => Partial<ArtifactStore>) {
  const ended = new AbortController();
  const { artifacts } = scene;
  return scene.run({
    deps: {
      signal: ended.signal,
      settings: ONE_BY_ONE,
      artifacts: {
        bucket: artifacts.bucket,
        probe: () => artifacts.probe(),
        put: (object) => artifacts.put(object),
        look: (name) => artifacts.look(name),
        get: (name) => artifacts.get(name),
        list: (folder) => artifacts.list(folder),
        delete: (name, generation) => artifacts.delete(name, generation),
        localPath: (name) => artifacts.localPath(name),
        ...by(() => ended.abort()),
      },
    },
  });
}

test.for([
  ['its calls are paid for', [EIGHT_CHARTS_ACCOUNT]],
  ['its calls are free', []],
] as const)(
  'a step that winds down begins nothing, and goes on later: %s',
  async ([, accounts], { onTestFinished }) => {
    const scene = await EngineScene.open(onTestFinished, { inputs: { requests } });
    const fixtures = new FixtureProvider([bundled.fixtures]);
    const windDown = new AbortController();
    const asked: string[] = [];
    const outcome = await scene.run({
      deps: {
        accounts,
        windDown: windDown.signal,
        settings: ONE_BY_ONE,
        provider: {
          foresee: (wanted) => fixtures.foresee(wanted),
          render: (call) => {
            asked.push(call.chart.chartTemplateId);
            windDown.abort();
            return fixtures.render(call);
          },
        },
      },
    });
    expect(outcome).toMatchObject({ reason: 'interrupted', claimed: true });
    expect(asked).toEqual([A]);

    const again: string[] = [];
    const provider: ChartProvider = {
      foresee: (wanted) => fixtures.foresee(wanted),
      render: (call) => {
        again.push(call.chart.chartTemplateId);
        return fixtures.render(call);
      },
    };
    const second = await scene.run({ deps: { provider } });
    expect(second).toMatchObject({ reason: 'succeeded', attempt: 1 });
    expect(again).toEqual([B, C]);
  },
);

test('an upload that hangs keeps nobody who is asked to end', async ({ onTestFinished }) => {
  const scene = await EngineScene.open(onTestFinished, { inputs: { requests } });
  const outcome = await endedBy(scene, (end) => ({
    put: () => {
      end();
      return new Promise(() => undefined);
    },
  }));
  expect(outcome).toMatchObject({ reason: 'interrupted', claimed: true });
  expect(await scene.document(paths.lease(RUN_ID, STEP_ID))).toMatchObject({ state: 'RELEASED' });
});

test('a step that winds down with nothing left to begin is settled', async ({ onTestFinished }) => {
  const scene = await EngineScene.open(onTestFinished, { inputs: { requests } });
  const fixtures = new FixtureProvider([bundled.fixtures]);
  const windDown = new AbortController();
  let asked = 0;
  const outcome = await scene.run({
    deps: {
      windDown: windDown.signal,
      settings: ONE_BY_ONE,
      provider: {
        foresee: (wanted) => fixtures.foresee(wanted),
        render: (call) => {
          asked += 1;
          if (asked === requests.length) windDown.abort();
          return fixtures.render(call);
        },
      },
    },
  });
  expect(outcome).toMatchObject({ reason: 'succeeded' });
});

test('a step that is asked to end once every chart is stored is settled', async ({
  onTestFinished,
}) => {
  const scene = await EngineScene.open(onTestFinished, { inputs: { requests } });
  let looks = 0;
  const outcome = await endedBy(scene, (end) => ({
    look: (name) => {
      looks += 1;
      end();
      return scene.artifacts.look(name);
    },
  }));
  expect(looks).toBeGreaterThan(0);
  expect(outcome).toMatchObject({ reason: 'succeeded', attempt: 1 });
});
