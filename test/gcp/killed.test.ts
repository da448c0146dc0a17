import { describe, expect, test, vi } from 'vitest';
import { summaryOn } from '../support/cli-workspace.js';
import type { StoredObject } from '../support/fake-storage/object-store.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { killAt, type PointName, pointNamed, REQUESTS } from '../support/gcp-points.js';
import { GcpScene } from '../support/gcp-step-scene.js';
import { share } from '../support/share.js';
import { ACCOUNT_ID, chartsOf, THREE_CHARTS } from '../support/step-scene.js';

// Each test is two processes in turn and a second of waiting.
vi.setConfig({ maxConcurrency: 3 });

type Undo = (undo: () => Promise<void>) => void;

/** What is there when the process was killed at a request: the step's status, charts, a manifest. */
type Moment = readonly [
  when: 'before' | 'applied',
  PointName,
  status: 'READY' | 'RUNNING' | 'SUCCEEDED' | undefined,
  charts: number,
  hasManifest: boolean,
];

const MOMENTS: readonly Moment[] = [
  ['before', 'create 1', undefined, 0, false],
  ['applied', 'create 1', 'READY', 0, false],
  ['applied', 'read 1', 'READY', 0, false],
  ['applied', 'list 1', 'READY', 0, false],
  ['before', 'claim 1', 'READY', 0, false],
  ['applied', 'claim 1', 'RUNNING', 0, false],
  ['applied', 'put 1', 'RUNNING', 1, false],
  ['applied', 'put 2', 'RUNNING', 2, false],
  ['applied', 'put 3', 'RUNNING', 3, false],
  ['applied', 'look 1', 'RUNNING', 3, false],
  ['applied', 'read 2', 'RUNNING', 3, false],
  ['applied', 'put 4', 'RUNNING', 3, true],
  ['before', 'settle 1', 'RUNNING', 3, true],
  ['applied', 'settle 1', 'SUCCEEDED', 3, true],
];
const NAMED = MOMENTS.map((moment) => [`${moment[0]} ${moment[1]}`, moment] as const);

interface Left {
  readonly status: Moment[2];
  readonly claimId: string | undefined;
  readonly charts: readonly StoredObject[];
  readonly manifest: StoredObject | undefined;
}

/** Kills a run at a request, and looks whether it left what it should by then have done. */
async function kill(
  scene: GcpScene,
  [when, name, status, charts, hasManifest]: Moment,
  leaseTtlSeconds = 1,
): Promise<Left> {
  const process = scene.start({ leaseTtlSeconds });
  const { signal, stderr } = await killAt(scene, process, pointNamed(name), when);
  expect(signal, stderr).toBe('SIGKILL');

  const lease = await scene.lease();
  const state = status === 'RUNNING' ? 'ACTIVE' : status === 'SUCCEEDED' ? 'DONE' : undefined;
  expect([(await scene.step())?.status, lease?.state]).toEqual([status, state]);
  expect(scene.charts).toHaveLength(charts);
  for (const { metadata } of scene.charts) expect(metadata?.claimId).toBe(lease?.claimId);
  expect(scene.manifest !== undefined).toBe(hasManifest);
  const { manifest } = scene;
  return { status, claimId: lease?.claimId, charts: [...scene.charts], manifest };
}

describe.skipIf(whyNoEmulator)(`a worker killed in the cloud ${whyNoEmulator}`, () => {
  test('the requests at which it is killed are all that a step makes', async ({
    onTestFinished,
  }) => {
    const scene = await GcpScene.open(onTestFinished);
    const { exitCode, stderr } = await scene.run();
    expect(exitCode, stderr).toBe(0);
    const made = (to: 'Firestore' | 'Storage') =>
      REQUESTS.filter((point) => point.to === to).map(({ name }) => name);
    expect(scene.proxy.calls.map(({ name }) => name)).toEqual(made('Firestore'));
    expect(scene.storage.requests.map(({ kind }) => kind)).toEqual(made('Storage'));
    const killed = new Set(MOMENTS.map(([, name]) => name));
    expect([...killed]).toEqual(REQUESTS.map(({ name, nth }) => `${name} ${nth}`));
    await scene.expectDone((await scene.lease())?.claimId);
  });

  describe.concurrent('and its lease expired, the next run brings the step to its end:', () => {
    test.for(share(NAMED))('%s', async ([, moment], { onTestFinished }) => {
      await expectResumed(moment, onTestFinished);
    });
  });

  describe.concurrent('and its lease expired, --replay does the step anew:', () => {
    test.for(share(NAMED))('%s', async ([, moment], { onTestFinished }) => {
      await expectReplayed(moment, onTestFinished);
    });
  });

  test('holds the step until its lease expires, also against --replay', async ({
    onTestFinished,
  }) => {
    const scene = await GcpScene.open(onTestFinished);
    const left = await kill(scene, ['applied', 'put 1', 'RUNNING', 1, false], 600);
    for (const flags of [[], ['--replay'], ['--step-id', 'charts:1H:test']]) {
      const { exitCode, stdout, stderr } = await scene.run({ flags });
      expect(exitCode, stderr).toBe(3);
      const { message, noop } = summaryOn(stdout);
      expect(noop).toBe(true);
      expect(message).toMatch(/is held by process \d+ on \S+ since 20\d\d-/);
    }
    expect(await scene.lease()).toMatchObject({
      state: 'ACTIVE',
      attempt: 1,
      claimId: left.claimId,
    });
    expect(scene.objects).toEqual(left.charts);
  });
});

async function expectResumed(moment: Moment, onTestFinished: Undo): Promise<void> {
  const scene = await GcpScene.open(onTestFinished);
  const left = await kill(scene, moment);
  await scene.leaseExpired();
  const { exitCode, stdout, stderr, log } = await scene.run();

  expect(exitCode, stderr).toBe(0);
  const done = THREE_CHARTS.slice(0, left.charts.length);
  const open = THREE_CHARTS.slice(left.charts.length);
  if (left.status === 'SUCCEEDED') {
    expect(summaryOn(stdout)).toMatchObject({ status: 'SUCCEEDED', noop: true });
    expect(scene.manifest).toEqual(left.manifest);
  } else {
    const attempt = left.status === 'RUNNING' ? 2 : 1;
    const facts = { status: 'SUCCEEDED', noop: false, attempt, itemsCount: 3 };
    expect(summaryOn(stdout)).toMatchObject(facts);
    expect(chartsOf(log, 'chart_api_call_start')).toEqual(open);
    expect(chartsOf(log, 'chart_reused')).toEqual(done);
    // Only what was missing is reserved once more.
    const reserved = open.length > 0 ? { [ACCOUNT_ID]: { units: open.length } } : {};
    expect(await scene.lease()).toMatchObject({ attempt, reserved });
    // The dead one's manifest is not left standing.
    expect(scene.manifest?.generation).not.toBe(left.manifest?.generation);
  }
  const { claimId } = (await scene.lease()) ?? {};
  if (left.claimId !== undefined) expect(claimId).toBe(left.claimId);
  await scene.expectDone(claimId);
  // The very objects, and no other of these charts.
  expect(scene.charts).toEqual(expect.arrayContaining([...left.charts]));
  expect(scene.charts).toHaveLength(THREE_CHARTS.length);
  expect(scene.proxy.count('settle', 200)).toBe(1);
  expect(await scene.usage()).toBeUndefined();
}

async function expectReplayed(moment: Moment, onTestFinished: Undo): Promise<void> {
  const scene = await GcpScene.open(onTestFinished);
  const left = await kill(scene, moment);
  await scene.leaseExpired();
  const { exitCode, stdout, stderr, log } = await scene.run({ flags: ['--replay'] });

  expect(exitCode, stderr).toBe(0);
  const facts = { status: 'SUCCEEDED', noop: false, attempt: 1, itemsCount: 3 };
  expect(summaryOn(stdout)).toMatchObject(facts);
  expect(chartsOf(log, 'chart_api_call_start')).toEqual(THREE_CHARTS);
  expect(chartsOf(log, 'chart_reused')).toEqual([]);

  const { claimId, attempt } = (await scene.lease()) ?? {};
  expect(claimId).not.toBe(left.claimId);
  expect(attempt).toBe(1);
  await scene.expectDone(claimId);
  expect(scene.charts).toEqual(expect.arrayContaining([...left.charts]));
  expect(scene.charts).toHaveLength(left.charts.length + THREE_CHARTS.length);
  const kept = scene.objects.filter(({ name }) => /\/manifest\..+\.json$/.test(name));
  expect(kept.map(({ body }) => body)).toEqual(left.manifest ? [left.manifest.body] : []);
  expect(scene.proxy.count('settle', 200)).toBe(left.status === 'SUCCEEDED' ? 2 : 1);
}
