import { expect, test } from 'vitest';
import type { NewObject } from '../../src/artifacts/artifact-store.js';
import { FixtureProvider } from '../../src/chart-img/fixture-provider.js';
import { bundled } from '../../src/config/bundled.js';
import { EngineScene } from '../support/engine-scene.js';

const CHARTS = [
  'ctpl_price_ma1226_vol_v1',
  'ctpl_price_rsi14_stochrsi_v1',
  'ctpl_price_psar_adi_v1',
  'ctpl_price_vpvr_obv_v1',
] as const;
const requests = CHARTS.map((chartTemplateId) => ({ chartTemplateId }));

const ONE_LANE = {
  concurrency: 1,
  timeoutMs: 20_000,
  leaseTtlMs: 60_000,
  timezone: 'Etc/UTC',
  chartsApiMode: 'mock',
  isLive: false,
};

/** A bucket that takes its first chart only when it is let. */
async function slowBucket(onTestFinished: (undo: () => Promise<void>) => void) {
  const scene = await EngineScene.open(onTestFinished, { inputs: { requests } });
  const fixtures = new FixtureProvider([bundled.fixtures]);
  const seen: string[] = [];
  let letGo: (error?: Error) => void = () => undefined;
  const held = new Promise<void>((resolve, reject) => {
    letGo = (error) => (error ? reject(error) : resolve());
  });
  held.catch(() => undefined);
  const settled = scene.run({
    deps: {
      settings: ONE_LANE,
      provider: {
        foresee: (wanted) => fixtures.foresee(wanted),
        render: (call) => {
          seen.push(`ask ${CHARTS.indexOf(call.chart.chartTemplateId as (typeof CHARTS)[0])}`);
          return fixtures.render(call);
        },
      },
      artifacts: Object.assign(Object.create(scene.artifacts), {
        bucket: scene.artifacts.bucket,
        probe: () => scene.artifacts.probe(),
        look: (name: string) => scene.artifacts.look(name),
        put: async (object: NewObject) => {
          const at = CHARTS.findIndex((id) => object.name.includes(id));
          if (at >= 0) seen.push(`put ${at}`);
          if (at === 0) await held;
          return scene.artifacts.put(object);
        },
      }),
    },
  });
  return { scene, seen, letGo, settled };
}

test('a lane asks for its next chart while it stores one, and for no third', async ({
  onTestFinished,
}) => {
  const { seen, letGo, settled } = await slowBucket(onTestFinished);
  await expect.poll(() => seen).toContain('ask 1');
  // Time enough for whoever would not wait.
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(seen).toEqual(['ask 0', 'put 0', 'ask 1']);

  letGo();
  expect(await settled).toMatchObject({ reason: 'succeeded' });
  expect(seen.filter((one) => one.startsWith('put'))).toEqual(['put 0', 'put 1', 'put 2', 'put 3']);
});

test('a bug in an upload stops the lane, whose chart under way is not stored', async ({
  onTestFinished,
}) => {
  const { seen, letGo, settled } = await slowBucket(onTestFinished);
  await expect.poll(() => seen).toContain('ask 1');
  letGo(new TypeError('a bug'));
  expect(await settled).toMatchObject({ reason: 'failed', error: { code: 'INTERNAL_ERROR' } });
  expect(seen).toEqual(['ask 0', 'put 0', 'ask 1']);
});
