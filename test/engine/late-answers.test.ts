import { describe, expect, onTestFinished, test } from 'vitest';
import type { ChartProvider } from '../../src/chart-img/chart-provider.js';
import { FixtureProvider } from '../../src/chart-img/fixture-provider.js';
import { bundled } from '../../src/config/bundled.js';
import { paths } from '../../src/documents/paths.js';
import { EngineScene, late, replyLost } from '../support/engine-scene.js';

const RUN_ID = '20251221-120000_BTCUSDT_demo';
const STEP_ID = 'charts:1H:test';
const CHARTS = ['ctpl_price_ma1226_vol_v1', 'ctpl_price_psar_adi_v1', 'ctpl_price_vpvr_obv_v1'];

function scene(): Promise<EngineScene> {
  const requests = CHARTS.map((chartTemplateId) => ({ chartTemplateId }));
  return EngineScene.open(onTestFinished, { inputs: { minImages: 1, requests } });
}

/** A clean step commits twice: its claim, its end. */
const [CLAIM, END] = [0, 1];

async function lease(of: EngineScene) {
  return of.document(paths.lease(RUN_ID, STEP_ID));
}

/** Ends the step's work at the second call, so that one of three units was not sent. */
function interruptedAfterOne(): { provider: ChartProvider; signal: AbortSignal } {
  const fixtures = new FixtureProvider([bundled.fixtures]);
  const controller = new AbortController();
  let calls = 0;
  const provider: ChartProvider = {
    foresee: (charts) => fixtures.foresee(charts),
    render: async (call) => {
      calls += 1;
      if (calls === 1) return fixtures.render(call);
      controller.abort();
      return new Promise(() => undefined);
    },
  };
  return { provider, signal: controller.signal };
}

describe('an answer that never comes', () => {
  test.for([
    ['of the claim', CLAIM],
    ['of the end', END],
  ] as const)('%s: the step is done once, counted once', async ([, commit]) => {
    const of = await scene();
    const outcome = await of.run({ fates: { [commit]: replyLost } });
    expect(outcome).toMatchObject({ reason: 'succeeded', attempt: 1 });
    expect(await lease(of)).toMatchObject({ state: 'DONE', attempt: 1 });
    expect(await of.unitsUsed()).toBe(3);
  });

  test.for([
    ['of the claim', CLAIM],
    ['of the end', END],
  ] as const)('%s, which is applied when nobody expects it any more', async ([, commit]) => {
    const of = await scene();
    const delayed = late();
    let landed = false;
    const outcome = await of.run({
      fates: {
        [commit]: delayed.fate,
        // The next try meets what the earlier one has just written.
        [commit + 1]: async (apply) => {
          if (!landed) await delayed.land();
          landed = true;
          return apply();
        },
      },
    });
    expect(landed).toBe(true);
    expect(outcome).toMatchObject({ reason: 'succeeded', attempt: 1 });
    expect(await lease(of)).toMatchObject({ state: 'DONE', attempt: 1 });
    expect(await of.unitsUsed()).toBe(3);
  });

  test('of the claim, of which the next look already sees the lease', async () => {
    const of = await scene();
    const delayed = late();
    let landed = false;
    const outcome = await of.run({
      fates: { [CLAIM]: delayed.fate },
      beforeRead: async (commits) => {
        if (commits !== 1 || landed) return;
        landed = true;
        await delayed.land();
      },
    });
    expect(outcome).toMatchObject({ reason: 'succeeded', attempt: 1 });
    expect(await of.unitsUsed()).toBe(3);
  });
});

describe('units that were not sent', () => {
  test('are given back with the release', async () => {
    const of = await scene();
    const { provider, signal } = interruptedAfterOne();
    const settings = { concurrency: 1, timeoutMs: 20_000, leaseTtlMs: 60_000 };
    const more = { timezone: 'Etc/UTC', chartsApiMode: 'mock', isLive: false };
    const deps = { provider, signal, settings: { ...settings, ...more } };
    expect(await of.run({ deps })).toMatchObject({ reason: 'interrupted', claimed: true });
    // One arrived, one was under way.
    expect(await of.unitsUsed()).toBe(2);
    expect(await lease(of)).toMatchObject({
      state: 'RELEASED',
      reserved: { 'acc-1': { units: 2 } },
    });
  });

  test('are given back once, although the release that did so is given up for lost', async () => {
    const of = await scene();
    const { provider, signal } = interruptedAfterOne();
    const delayed = late();
    const settings = { concurrency: 1, timeoutMs: 20_000, leaseTtlMs: 60_000 };
    const more = { timezone: 'Etc/UTC', chartsApiMode: 'mock', isLive: false };
    const outcome = await of.run({
      deps: { provider, signal, settings: { ...settings, ...more } },
      fates: {
        1: delayed.fate,
        2: async (apply) => {
          await delayed.land();
          return apply();
        },
      },
    });
    expect(outcome).toMatchObject({ reason: 'interrupted', claimed: true });
    expect(await of.unitsUsed()).toBe(2);
  });
});
