import { describe, expect, test, vi } from 'vitest';
import type { ChartProvider } from '../../src/chart-img/chart-provider.js';
import { summaryOn } from '../support/cli-workspace.js';
import type { CallName } from '../support/firestore-call-names.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { type EngineOptions, fixtures, runEngine } from '../support/gcp-engine.js';
import {
  type Point,
  pointNamed,
  REQUESTS,
  type Spoiling,
  spoil,
  stopAt,
} from '../support/gcp-points.js';
import { GcpScene } from '../support/gcp-step-scene.js';
import { heldFixtures } from '../support/held-fixtures.js';
import { share, shareUnlessProving } from '../support/share.js';
import { ACCOUNT_ID, chartsOf, onOneUtcDay, THREE_CHARTS } from '../support/step-scene.js';

vi.setConfig({ maxConcurrency: 3 });

type Undo = (undo: () => Promise<void>) => void;

const ACCOUNT = { id: ACCOUNT_ID, apiKey: 'not-a-real-key-0123456789' };
/** Is asked first, and its key is not accepted. */
const REFUSED = { id: 'acc-0', apiKey: 'refused-key-0123456789', priority: -1 };
const turnsOneAway: ChartProvider = {
  foresee: (charts) => fixtures.foresee(charts),
  render: async (call) =>
    call.apiKey === REFUSED.apiKey
      ? { kind: 'answer', status: 401, body: Buffer.from('{"message":"Invalid API key"}') }
      : fixtures.render(call),
};

/** How long is waited for a reply that never comes; long enough for one that does. */
const IMPATIENT = { firestore: { callMs: 1_200, readMs: 8_000 }, tryMs: 1_200 };

function named(points: readonly Point[]) {
  return points.map((point) => [`${point.name} ${point.nth}`, point] as const);
}

function toFirestore(...names: readonly [CallName, number][]): Point[] {
  return names.map(([name, nth]) => ({ to: 'Firestore', name, nth }));
}

/** The step in this process, one of its requests spoilt; what the ledger then says. */
async function spoilt(
  point: Point,
  how: Spoiling,
  options: EngineOptions,
  onTestFinished: Undo,
): Promise<Readonly<Record<string, unknown>>> {
  let usage = {};
  await onOneUtcDay(async () => {
    const scene = await GcpScene.open(onTestFinished);
    await scene.createFlowRun();
    const over = spoil(scene, point, how);
    const outcome = await runEngine(scene, options);
    await over;
    const counts = options.accounts.map(async ({ id }) => [
      id,
      (await scene.usage(id))?.usageToday,
    ]);
    usage = Object.fromEntries(await Promise.all(counts));
    return async () => {
      expect(outcome).toMatchObject({ reason: 'succeeded', attempt: 1 });
      await expectDoneOnce(scene);
      if (how === 'cut') expectNoneTwice(scene);
      const topUps = options.accounts.length === 1 ? 0 : THREE_CHARTS.length;
      expect(scene.proxy.count('quota', 200)).toBe(topUps);
      const made = [...scene.proxy.calls, ...scene.storage.requests];
      expect(made.length, 'the fault made no difference').toBeGreaterThan(madeBy(options));
    };
  });
  return usage;
}

/** Requests of the step when nothing goes wrong. */
function madeBy({ accounts }: EngineOptions): number {
  const withoutCreate = REQUESTS.length - 1;
  return accounts.length === 1 ? withoutCreate : withoutCreate + 2 * THREE_CHARTS.length;
}

/** One claim, one settle, three charts, one manifest, whatever was sent again. */
async function expectDoneOnce(scene: GcpScene): Promise<void> {
  const { proxy } = scene;
  expect([proxy.count('claim', 200), proxy.count('settle', 200)]).toEqual([1, 1]);
  const lease = await scene.lease();
  expect(lease).toMatchObject({ attempt: 1 });
  await scene.expectDone(lease?.claimId);
  expect(scene.charts).toHaveLength(THREE_CHARTS.length);
  // Generations are given in turn: nothing was written and then written over.
  const generations = scene.objects.map(({ generation }) => Number(generation.slice(-6)));
  expect(Math.max(...generations) - Math.min(...generations)).toBe(THREE_CHARTS.length);
  expect(scene.objects).toHaveLength(THREE_CHARTS.length + 1);
}

/** What was applied is found by reading, not by sending it again. */
function expectNoneTwice({ proxy }: GcpScene): void {
  const commits = proxy.calls.filter(({ name }) => name !== 'read' && name !== 'create');
  expect(commits.map(({ status }) => status)).toEqual(commits.map(() => 200));
}

describe.skipIf(whyNoEmulator)(`a reply lost in the cloud ${whyNoEmulator}`, () => {
  describe.concurrent('cut off after its request was applied, the program still ends well:', () => {
    test.for(share(named(REQUESTS)))('%s', async ([, point], { onTestFinished }) => {
      const scene = await GcpScene.open(onTestFinished);
      void spoil(scene, point, 'cut');
      const { exitCode, stdout, stderr, log } = await scene.run();
      expect(exitCode, stderr).toBe(0);
      const facts = { status: 'SUCCEEDED', noop: false, attempt: 1, itemsCount: 3 };
      expect(summaryOn(stdout)).toMatchObject(facts);
      expect(chartsOf(log, 'chart_api_call_start')).toEqual(THREE_CHARTS);
      await expectDoneOnce(scene);
      expectNoneTwice(scene);
      expect(await scene.usage()).toBeUndefined();
    });
  });

  const ofTheStep = REQUESTS.filter(({ name }) => name !== 'create');
  describe.concurrent('cut off, every chart is counted once:', () => {
    test.for(shareUnlessProving(named(ofTheStep), 3))(
      '%s',
      async ([, point], { onTestFinished }) => {
        const usage = await spoilt(point, 'cut', { accounts: [ACCOUNT] }, onTestFinished);
        expect(usage).toEqual({ [ACCOUNT_ID]: 3 });
      },
    );
  });

  const writes = ofTheStep.filter(({ name }) => /put|claim|settle/.test(name));
  describe.concurrent('to a request that is applied late, every chart is counted once:', () => {
    test.for(shareUnlessProving(named(writes), 3))('%s', async ([, point], { onTestFinished }) => {
      const options = { accounts: [ACCOUNT], ...IMPATIENT };
      expect(await spoilt(point, 'late', options, onTestFinished)).toEqual({ [ACCOUNT_ID]: 3 });
    });
  });

  describe.concurrent('that never comes, every chart is counted once:', () => {
    test.for(shareUnlessProving(named(ofTheStep), 4))(
      '%s',
      async ([, point], { onTestFinished }) => {
        const options = { accounts: [ACCOUNT], ...IMPATIENT };
        expect(await spoilt(point, 'hang', options, onTestFinished)).toEqual({ [ACCOUNT_ID]: 3 });
      },
    );
  });

  describe.concurrent('to a request that was never applied, every chart is counted once:', () => {
    test.for(shareUnlessProving(named(ofTheStep), 5))(
      '%s',
      async ([, point], { onTestFinished }) => {
        const usage = await spoilt(point, 'lost', { accounts: [ACCOUNT] }, onTestFinished);
        expect(usage).toEqual({ [ACCOUNT_ID]: 3 });
      },
    );
  });

  // A claim on one account, a top-up for each chart on the other, a refund as the step ends.
  const movingQuota = toFirestore(
    ['read', 1],
    ['claim', 1],
    ['read', 2],
    ['quota', 1],
    ['read', 3],
    ['quota', 2],
    ['read', 4],
    ['quota', 3],
    ['read', 5],
    ['settle', 1],
  );
  describe.concurrent('while quota is moved, each call is counted where it was made:', () => {
    const accounts = [REFUSED, ACCOUNT];
    const options = { accounts, provider: turnsOneAway, ...IMPATIENT };
    const cases = (['cut', 'lost', 'late'] as const).flatMap((how) =>
      named(movingQuota).map(([name, point]) => [how, name, point] as const),
    );
    test.for(shareUnlessProving(cases, 4))('%s %s', async ([how, , point], { onTestFinished }) => {
      const usage = await spoilt(point, how, options, onTestFinished);
      expect(usage).toEqual({ [REFUSED.id]: 1, [ACCOUNT_ID]: 3 });
    });
  });

  test.for(['cut', 'lost'] as const)(
    'to a release (%s) does not keep the step from the next run',
    async (how, { onTestFinished }) => {
      const scene = await GcpScene.open(onTestFinished);
      void spoil(scene, { to: 'Firestore', name: 'release', nth: 1 }, how);
      // Something is under way whenever the signal is heard.
      const { env } = await heldFixtures(scene.cwd, THREE_CHARTS.slice(2));
      const flags = ['--fixtures-dir', env.CHARTS_FIXTURES_DIR];
      const first = scene.start({ leaseTtlSeconds: 600, flags });
      const wake = await stopAt(scene, first, pointNamed('put 1'), 'applied');
      first.kill('SIGTERM');
      wake();
      const { exitCode, stderr } = await first.ended;
      expect(exitCode, stderr).toBe(143);
      expect(await scene.lease()).toMatchObject({ state: 'RELEASED', attempt: 1 });
      const next = await scene.run();
      expect(next.exitCode, next.stderr).toBe(0);
      const stored = chartsOf(first.log, 'chart_stored');
      expect(stored.length).toBeGreaterThanOrEqual(1);
      expect(chartsOf(next.log, 'chart_reused')).toEqual(stored);
      expect(scene.proxy.count('release', 200)).toBe(1);
      await scene.expectDone((await scene.lease())?.claimId);
    },
  );

  test.for(['cut', 'lost'] as const)(
    'to a heartbeat (%s) does not lose the lease',
    async (how, { onTestFinished }) => {
      const scene = await GcpScene.open(onTestFinished);
      await scene.createFlowRun();
      void spoil(scene, { to: 'Firestore', name: 'beat', nth: 1 }, how);
      const provider: ChartProvider = {
        ...turnsOneAway,
        render: async (call) => {
          await scene.proxy.arrived('beat', 3);
          return fixtures.render(call);
        },
      };
      const outcome = await runEngine(scene, { accounts: [ACCOUNT], provider, leaseTtlMs: 600 });
      expect(outcome).toMatchObject({ reason: 'succeeded', attempt: 1 });
      await expectDoneOnce(scene);
    },
  );
});
