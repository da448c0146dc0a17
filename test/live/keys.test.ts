import { describe, expect, test, vi } from 'vitest';
import { runCli } from '../support/cli-run.js';
import { filesIn } from '../support/cli-workspace.js';
import type { FaultRule } from '../support/fake-chart-img/faults.js';
import {
  linesOf,
  type ManyChartsOptions,
  ManyChartsScene,
  type Payer,
  payer,
  payers,
  UNLIMITED,
} from '../support/many-charts-scene.js';
import { ALL_CASES } from '../support/share.js';
import { onOneUtcDay } from '../support/step-scene.js';

type OnTestFinished = (undo: () => Promise<void>) => void;

// Most of them wait for what the service asks for.
vi.setConfig({ maxConcurrency: 8 });

/** Enough that each of five keys is dealt some. */
const MANY = ALL_CASES ? 64 : 20;
const LANES = 4;
const FOUR_LANES = { flags: ['--concurrency', String(LANES)] };
const [QUICK, ANYTHING] = UNLIMITED;

type Run = Awaited<ReturnType<ManyChartsScene['finish']>> & { readonly scene: ManyChartsScene };

/** Runs a new scene to its end on one UTC day, and only then judges it. */
function judged(
  onTestFinished: OnTestFinished,
  options: ManyChartsOptions,
  faults: readonly FaultRule[],
  judge: (run: Run) => Promise<void> | void,
): Promise<void> {
  return onOneUtcDay(async () => {
    const scene = await ManyChartsScene.open(onTestFinished, options);
    for (const rule of faults) scene.fake.faults.add(rule);
    const run = await scene.finish(FOUR_LANES);
    return () => judge({ ...run, scene });
  });
}

function expectAll({ exitCode, summary }: Run, charts: number): void {
  expect([exitCode, summary.itemsCount, summary.failures]).toEqual([0, charts, []]);
}

async function expectPaid({ scene }: Run, all: readonly Payer[]): Promise<void> {
  for (const one of all) {
    const { usageToday, exhaustedOn } = await scene.usage(one);
    expect([one.account.id, usageToday, exhaustedOn]).toEqual([
      one.account.id,
      scene.asked(one),
      undefined,
    ]);
  }
}

function answer(status: number, message: string, headers: Record<string, string> = {}) {
  return { act: 'answer', status, headers, body: JSON.stringify({ message }) } as const;
}

function gapMs({ scene }: Run): number {
  const [first, second] = scene.fake.requests;
  return Number(second?.atMs) - Number(first?.atMs);
}

describe.concurrent('the keys', () => {
  test('what a clean run spent is what the service counted, key by key', async ({
    onTestFinished,
  }) => {
    const all = payers(5, ...UNLIMITED);
    await judged(onTestFinished, { payers: all, charts: MANY, latencyMs: 20 }, [], async (run) => {
      expectAll(run, MANY);
      expect(run.scene.fake.requests).toHaveLength(MANY);
      for (const one of all) expect(run.scene.asked(one)).toBeGreaterThan(0);
      await expectPaid(run, all);
    });
  });

  test('of five keys one is bad: the others draw its charts, and it is set aside', async ({
    onTestFinished,
  }) => {
    const bad = payer(1, ...UNLIMITED);
    const all = [bad, ...payers(5, ...UNLIMITED).slice(1)];
    const { apiKey } = bad.account;
    const fault = answer(401, 'Invalid Request');
    const options = { payers: all, charts: MANY, latencyMs: 20 };
    await judged(onTestFinished, options, [{ apiKey, times: 'forever', fault }], async (run) => {
      expectAll(run, MANY);
      expect(run.scene.asked(bad)).toBeGreaterThan(0);
      expect(run.scene.asked(bad)).toBeLessThanOrEqual(LANES);
      expect(run.scene.answered(200)).toBe(MANY);
      const aside = linesOf(run.log, 'chart_api_account_set_aside');
      expect(new Set(aside.map(({ accountId }) => accountId))).toEqual(new Set(['acc-1']));
      expect(aside.length).toBeLessThanOrEqual(LANES);
      // What was dealt to it and never sent is given back.
      await expectPaid(run, all);
    });
  });

  test('of five keys one is used up: the others draw its charts, and the ledger says so', async ({
    onTestFinished,
  }) => {
    const usedUp = payer(1, QUICK, { ...ANYTHING, dailyLimit: 0 });
    const others = payers(5, ...UNLIMITED).slice(1);
    const options = { payers: [usedUp, ...others], charts: MANY, latencyMs: 20 };
    await judged(onTestFinished, options, [], async (run) => {
      const today = new Date().toISOString().slice(0, 10);
      expectAll(run, MANY);
      expect(run.scene.asked(usedUp)).toBeGreaterThan(0);
      expect(run.scene.asked(usedUp)).toBeLessThanOrEqual(LANES);
      const usage = await run.scene.usage(usedUp);
      expect(usage.exhaustedOn).toBe(today);
      expect(usage.usageToday).toBeGreaterThanOrEqual(0.95 * 3_000);
      await expectPaid(run, others);
    });
  });

  const LARGE = { width: 1_200, height: 800 };

  test('an account whose plan is too small is not asked', async ({ onTestFinished }) => {
    const small = payer(1, { ...QUICK, plan: 'BASIC' });
    const large = payer(2, { ...QUICK, plan: 'PRO' }, ANYTHING);
    await judged(
      onTestFinished,
      { payers: [small, large], charts: 6, request: LARGE },
      [],
      async (run) => {
        expectAll(run, 6);
        expect([run.scene.asked(small), run.scene.asked(large)]).toEqual([0, 6]);
        await expectPaid(run, [large]);
      },
    );
  });

  /** Its plan is smaller than the accounts file says. */
  const overrated = payer(1, { ...QUICK, plan: 'PRO' }, { ...ANYTHING, plan: 'BASIC' });

  test('a plan that turns out too small passes its charts on to a larger one', async ({
    onTestFinished,
  }) => {
    const large = payer(2, { ...QUICK, priority: 1 }, ANYTHING);
    const all = [overrated, large];
    await judged(onTestFinished, { payers: all, charts: 6, request: LARGE }, [], async (run) => {
      expectAll(run, 6);
      expect(run.scene.asked(overrated)).toBeGreaterThan(0);
      expect(run.scene.asked(overrated)).toBeLessThanOrEqual(6);
      expect(run.scene.asked(large)).toBe(6);
      await expectPaid(run, all);
    });
  });

  test('where no plan at hand is large enough the failure names one that is', async ({
    onTestFinished,
  }) => {
    await judged(
      onTestFinished,
      { payers: [overrated], charts: 1, request: LARGE },
      [],
      async (run) => {
        expect([run.exitCode, run.summary.failures]).toEqual([
          1,
          [
            {
              chartTemplateId: 'ctpl_live_1_v1',
              code: 'CHART_API_FAILED',
              message: expect.stringMatching(
                /Exceed Max Usage Resolution Limit.*plan PRO would do/,
              ),
            },
          ],
        ]);
        expect(run.scene.asked(overrated)).toBe(1);
        await expectPaid(run, [overrated]);
      },
    );
  });

  test.for([
    ['after a stumble', answer(503, 'Something Went Wrong', { 'retry-after': '3' })],
    ['after too many requests', answer(429, 'Too Many Requests', { 'retry-after': '3' })],
  ] as const)('Retry-After is obeyed %s', async ([, fault], { onTestFinished }) => {
    const all = payers(1, ...UNLIMITED);
    await judged(onTestFinished, { payers: all, charts: 1 }, [{ fault }], async (run) => {
      expectAll(run, 1);
      expect(run.scene.fake.requests).toHaveLength(2);
      expect(gapMs(run)).toBeGreaterThanOrEqual(2_950);
      expect(linesOf(run.log, 'chart_api_account_set_aside')).toEqual([]);
      await expectPaid(run, all);
    });
  });

  test('a service that stumbles once is asked once more', async ({ onTestFinished }) => {
    const all = payers(1, ...UNLIMITED);
    const fault = answer(500, 'Something Went Wrong');
    await judged(onTestFinished, { payers: all, charts: 1 }, [{ fault }], async (run) => {
      expectAll(run, 1);
      expect(run.scene.fake.requests).toHaveLength(2);
      await expectPaid(run, all);
    });
  });

  test('a service that stumbles three times has failed the chart', async ({ onTestFinished }) => {
    const all = payers(1, ...UNLIMITED);
    const fault = answer(500, 'Something Went Wrong');
    await judged(
      onTestFinished,
      { payers: all, charts: 1 },
      [{ times: 'forever', fault }],
      async (run) => {
        expect([run.exitCode, run.summary.failures]).toEqual([
          1,
          [expect.objectContaining({ code: 'CHART_API_FAILED' })],
        ]);
        expect(run.scene.fake.requests).toHaveLength(3);
        await expectPaid(run, all);
      },
    );
  });

  test('calls for which no connection came about cost nothing', async ({ onTestFinished }) => {
    await onOneUtcDay(async () => {
      const all = payers(1, ...UNLIMITED);
      const [one] = all as [Payer];
      const scene = await ManyChartsScene.open(onTestFinished, { payers: all, charts: 2 });
      await scene.fake.close();
      const { exitCode, summary } = await scene.finish();
      const { usageToday } = await scene.usage(one);
      return () => {
        expect(exitCode).toBe(1);
        expect(summary.failures.map(({ code }) => code)).toEqual(Array(2).fill('CHART_API_FAILED'));
        expect(usageToday).toBe(0);
      };
    });
  });

  test('without accounts nothing is touched', async ({ onTestFinished }) => {
    const scene = await ManyChartsScene.open(onTestFinished, { payers: [], charts: 1 });
    const before = await filesIn(scene.cwd);
    const { exitCode, stderr } = await runCli(...scene.command());
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/account/i);
    expect(await filesIn(scene.cwd)).toEqual(before);
    expect(scene.fake.connections).toBe(0);
  });
});
