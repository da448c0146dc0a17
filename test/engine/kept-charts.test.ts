import { EventEmitter, once } from 'node:events';
import { expect, test } from 'vitest';
import { manifestName } from '../../src/artifacts/object-names.js';
import type { ChartProvider } from '../../src/chart-img/chart-provider.js';
import { FixtureProvider } from '../../src/chart-img/fixture-provider.js';
import { bundled } from '../../src/config/bundled.js';
import type { ChartsOutputsManifest } from '../../src/contracts/documents.js';
import { EngineScene } from '../support/engine-scene.js';

const RUN_ID = '20251221-120000_BTCUSDT_demo';
const STEP_ID = 'charts:1H:test';
const A = 'ctpl_price_ma1226_vol_v1';
const B = 'ctpl_price_rsi14_stochrsi_v1';
const C = 'ctpl_price_psar_adi_v1';
const requests = [A, B, C].map((chartTemplateId) => ({ chartTemplateId }));

/** Answers from fixtures and notes who was asked for; `holds` never answers for one template. */
function provider(holds?: string): {
  provider: ChartProvider;
  asked: string[];
  held: Promise<unknown>;
} {
  const fixtures = new FixtureProvider([bundled.fixtures]);
  const asked: string[] = [];
  const news = new EventEmitter();
  const held = once(news, 'held');
  return {
    asked,
    held,
    provider: {
      foresee: (wanted) => fixtures.foresee(wanted),
      render: (call) => {
        asked.push(call.chart.chartTemplateId);
        if (call.chart.chartTemplateId !== holds) return fixtures.render(call);
        news.emit('held');
        return new Promise(() => undefined);
      },
    },
  };
}

async function manifestIn(scene: EngineScene): Promise<ChartsOutputsManifest> {
  const object = await scene.artifacts.get(manifestName({ runId: RUN_ID, stepId: STEP_ID }));
  return JSON.parse(Buffer.from(object?.body ?? []).toString());
}

test('whoever takes a replay of some charts over keeps the rest as well', async ({
  onTestFinished,
}) => {
  const scene = await EngineScene.open(onTestFinished, { inputs: { requests } });
  expect(await scene.run()).toMatchObject({ reason: 'succeeded' });
  const before = await manifestIn(scene);

  const first = provider(B);
  const ended = new AbortController();
  const replay = scene.run({
    replay: true,
    only: [A, B],
    deps: { provider: first.provider, signal: ended.signal, settings: ONE_BY_ONE },
  });
  await first.held;
  ended.abort();
  expect(await replay).toMatchObject({ reason: 'interrupted', claimed: true });
  expect(first.asked).toEqual([A, B]);

  const second = provider();
  const taken = await scene.run({ deps: { provider: second.provider } });
  expect(taken).toMatchObject({ reason: 'succeeded', attempt: 1 });
  expect(second.asked).toEqual([B]);
  const after = await manifestIn(scene);
  expect(after.items).toHaveLength(3);
  expect(after.items[2]).toEqual(before.items[2]);
  expect(after.items[0]?.png_gcs_uri).not.toBe(before.items[0]?.png_gcs_uri);
});

const ONE_BY_ONE = {
  concurrency: 1,
  timeoutMs: 20_000,
  leaseTtlMs: 60_000,
  timezone: 'Etc/UTC',
  chartsApiMode: 'mock',
  isLive: false,
};
