import { describe, expect, test, vi } from 'vitest';
import { paths } from '../../src/documents/paths.js';
import { summaryOn } from '../support/cli-workspace.js';
import { recordingLogger } from '../support/engine-samples.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { runEngine } from '../support/gcp-engine.js';
import { type Point, type PointName, pointNamed, stopAt } from '../support/gcp-points.js';
import { GcpScene } from '../support/gcp-step-scene.js';
import { share } from '../support/share.js';
import { chartsOf, STEP_ID, THREE_CHARTS, type Told, told } from '../support/step-scene.js';

vi.setConfig({ maxConcurrency: 3 });

type Moment = readonly [
  when: 'before' | 'applied',
  PointName,
  /** Charts that it has asked for at least: the next one perhaps while this one is stored. */
  calls: number,
  /** Charts that the other finds stored. */
  stored: number,
];

const MOMENTS: readonly Moment[] = [
  // A PNG is on its way.
  ['before', 'put 1', 1, 0],
  ['before', 'put 2', 2, 1],
  ['applied', 'put 2', 2, 2],
  // From here on it is about the manifest: its generation, the lease, the put, in this order.
  ['before', 'look 1', 3, 3],
  ['applied', 'look 1', 3, 3],
  ['applied', 'read 2', 3, 3],
  ['before', 'put 4', 3, 3],
  ['applied', 'put 4', 3, 3],
  // The end of the step is on its way.
  ['before', 'settle 1', 3, 3],
];
const NAMED = MOMENTS.map((moment) => [`${moment[0]} ${moment[1]}`, moment] as const);

/**
 * The other worker is in this process where it has to be quick: the first, woken after 4 s, would
 * ask again for an answer that it was stopped before.
 */
async function otherWorker(scene: GcpScene) {
  const { logger, events } = recordingLogger();
  const outcome = await runEngine(scene, { accounts: [], logger });
  return { outcome, log: events.map(({ event, fields }) => ({ ...fields, event })) };
}

/** All that the first could spoil of what the second did. */
async function decided(scene: GcpScene) {
  const [run, lease] = [paths.flowRun(scene.runId), paths.lease(scene.runId, STEP_ID)];
  const reading = await scene.store.read([run, lease]);
  return { run: reading.get(run), lease: reading.get(lease), manifest: scene.manifest };
}

function expectLost({ exitCode, stdout, stderr, log }: Told): void {
  expect(exitCode, stderr).toBe(3);
  const facts = { status: 'SUCCEEDED', errorCode: null, noop: false, attempt: 1 };
  expect(summaryOn(stdout)).toMatchObject({
    ...facts,
    message: `step ${STEP_ID} is no longer ours: another worker took it over; nothing more was written`,
  });
  expect(log.filter(({ event }) => event === 'lease_lost')).toMatchObject([{ attempt: 1 }]);
  const settled = log.filter(({ event }) => event === 'step_completed');
  expect(settled).toEqual([]);
}

describe.skipIf(whyNoEmulator)(`a worker stopped past its lease ${whyNoEmulator}`, () => {
  describe.concurrent('and woken when another has done the step, changes nothing and exits 3:', () => {
    test.for(share(NAMED))('%s', async ([, moment], { onTestFinished }) => {
      const [when, name, calls, stored] = moment;
      const scene = await GcpScene.open(onTestFinished);
      const first = scene.start({ leaseTtlSeconds: 1 });
      const wake = await stopAt(scene, first, pointNamed(name), when);
      const { claimId } = (await scene.lease()) ?? {};
      await scene.leaseExpired();
      const second = await otherWorker(scene);
      expect(second.outcome).toMatchObject({ reason: 'succeeded', attempt: 2 });
      expect(chartsOf(second.log, 'chart_reused')).toEqual(THREE_CHARTS.slice(0, stored));
      expect(chartsOf(second.log, 'chart_api_call_start')).toEqual(THREE_CHARTS.slice(stored));
      await scene.expectDone(claimId);
      const before = await decided(scene);
      const charts = [...scene.charts];
      const asked = chartsOf(first.log, 'chart_api_call_start');
      expect(asked.length).toBeGreaterThanOrEqual(calls);

      wake();
      const ended = told(await first.ended);
      expectLost(ended);
      expect(chartsOf(ended.log, 'chart_api_call_start')).toEqual(asked);
      expect(await decided(scene)).toEqual(before);
      expect(scene.charts).toEqual(expect.arrayContaining(charts));
      await scene.expectDone(claimId);
      expect(scene.proxy.count('settle', 200)).toBe(1);
    });
  });

  // The manifest that is there is an older one, and has a generation.
  const overAnOlder: readonly (readonly [string, 'before' | 'applied', Point])[] = [
    ['before its look', 'before', { to: 'Storage', name: 'look', nth: 2 }],
    ['after its look', 'applied', { to: 'Storage', name: 'look', nth: 2 }],
    ['with its put on the way', 'before', { to: 'Storage', name: 'put', nth: 5 }],
  ];
  describe.concurrent('in a replay, does not overwrite the manifest either:', () => {
    test.for(overAnOlder)('%s', async ([, when, point], { onTestFinished }) => {
      const scene = await GcpScene.open(onTestFinished);
      await scene.createFlowRun();
      expect((await otherWorker(scene)).outcome).toMatchObject({ reason: 'succeeded' });
      const older = scene.manifest;
      const first = scene.start({ leaseTtlSeconds: 1, flags: ['--replay'] });
      const wake = await stopAt(scene, first, point, when);
      expect(scene.manifest).toEqual(older);
      const { claimId } = (await scene.lease()) ?? {};
      await scene.leaseExpired();
      expect((await otherWorker(scene)).outcome).toMatchObject({ reason: 'succeeded', attempt: 2 });
      const before = await decided(scene);
      expect(before.manifest?.generation).not.toBe(older?.generation);

      wake();
      expectLost(told(await first.ended));
      expect(await decided(scene)).toEqual(before);
      await scene.expectDone(claimId);
      expect(scene.proxy.count('settle', 200)).toBe(2);
    });
  });

  describe.concurrent('in one moment or another', () => {
    test('is fenced too where somebody made the step READY again, its lease still live', async ({
      onTestFinished,
    }) => {
      const scene = await GcpScene.open(onTestFinished);
      const first = scene.start({ leaseTtlSeconds: 600 });
      const wake = await stopAt(scene, first, pointNamed('put 2'), 'applied');
      const theirs = (await scene.lease())?.claimId;
      await scene.createFlowRun();
      const second = await scene.run();
      expect(second.exitCode, second.stderr).toBe(0);
      const { claimId, attempt } = (await scene.lease()) ?? {};
      expect(attempt).toBe(1);
      expect(claimId).not.toBe(theirs);
      expect(chartsOf(second.log, 'chart_api_call_start')).toEqual(THREE_CHARTS);
      const before = await decided(scene);

      wake();
      expectLost(told(await first.ended));
      expect(await decided(scene)).toEqual(before);
      await scene.expectDone(claimId);
      expect(scene.proxy.count('settle', 200)).toBe(1);
    });

    test('leaves a step as it is that somebody cancelled meanwhile', async ({ onTestFinished }) => {
      const scene = await GcpScene.open(onTestFinished);
      const first = scene.start({ leaseTtlSeconds: 600 });
      const wake = await stopAt(scene, first, pointNamed('put 2'), 'applied');
      const fields = [[['steps', STEP_ID, 'status'], 'CANCELLED']] as const;
      await scene.store.commit([{ kind: 'patch', path: paths.flowRun(scene.runId), fields }]);
      const before = await decided(scene);
      wake();
      const { exitCode, stdout, stderr } = await first.ended;
      expect(exitCode, stderr).toBe(3);
      expect(summaryOn(stdout)).toMatchObject({ status: 'CANCELLED', noop: false });
      expect(await decided(scene)).toEqual(before);
      expect(before.manifest).toBeUndefined();
    });

    test('with the answer to its claim on the way, asks for no chart', async ({
      onTestFinished,
    }) => {
      const scene = await GcpScene.open(onTestFinished);
      const first = scene.start({ leaseTtlSeconds: 1 });
      const wake = await stopAt(scene, first, pointNamed('claim 1'), 'applied');
      await scene.leaseExpired();
      const { outcome } = await otherWorker(scene);
      expect(outcome).toMatchObject({ reason: 'succeeded', attempt: 2 });
      const before = await decided(scene);
      wake();
      const ended = told(await first.ended);
      expect(chartsOf(ended.log, 'chart_api_call_start')).toEqual([]);
      expect(await decided(scene)).toEqual(before);
      // Stopped for longer than an answer may take, it never learns that the step was its own.
      if (ended.exitCode === 3) expectLost(ended);
      else expect(summaryOn(ended.stdout)).toMatchObject({ status: 'SUCCEEDED', noop: true });
    });

    test('whose settle was applied before it was stopped, has done the step', async ({
      onTestFinished,
    }) => {
      const scene = await GcpScene.open(onTestFinished);
      const first = scene.start({ leaseTtlSeconds: 1 });
      const wake = await stopAt(scene, first, pointNamed('settle 1'), 'applied');
      const second = await scene.run();
      expect(second.exitCode, second.stderr).toBe(0);
      expect(summaryOn(second.stdout)).toMatchObject({ status: 'SUCCEEDED', noop: true });
      const before = await decided(scene);
      wake();
      const ended = told(await first.ended);
      expect(ended.exitCode, ended.stderr).toBe(0);
      expect(summaryOn(ended.stdout)).toMatchObject({
        status: 'SUCCEEDED',
        noop: false,
        attempt: 1,
      });
      expect(await decided(scene)).toEqual(before);
      expect(scene.proxy.count('settle', 200)).toBe(1);
    });
  });
});
