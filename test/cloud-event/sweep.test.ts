import { getEventListeners } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FunctionInstance } from '../../src/cloud-event/function-instance.js';
import type { JsonObject } from '../../src/contracts/documents.js';
import { paths } from '../../src/documents/paths.js';
import type { LeaseDocument } from '../../src/engine/lease-document.js';
import { emptyFolder, flowRun, type LogLine, logLines, runCli } from '../support/cli-run.js';
import type { CallName } from '../support/firestore-call-names.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { FunctionScene, RUN_ID } from '../support/function-scene.js';
import { heldFixtures } from '../support/held-fixtures.js';
import { binaryEvent, messageOf } from '../support/saved-events.js';
import { share } from '../support/share.js';
import { onOneUtcDay, STEP_ID, StepScene } from '../support/step-scene.js';

const [A, B, C] = ['charts:a', 'charts:b', 'charts:c'] as const;
const CHARTS = 2;
const EVENT = { id: 'e-1', runId: RUN_ID };

/** The sweep in this process, and what it logged. */
function sweeper({ env, gcp }: FunctionScene, changes: Record<string, string> = {}) {
  const log: LogLine[] = [];
  const write = (line: string) => void log.push(JSON.parse(line));
  const instance = new FunctionInstance({ env: { ...env, ...changes }, cwd: gcp.cwd, write });
  return { instance, log, sweep: () => instance.sweep() };
}

type Sweep = (scene: FunctionScene) => Promise<JsonObject>;

/** As the scheduler's HTTP request. */
const byFunction: Sweep = async (scene) => {
  const server = await scene.serve({ target: 'workerChartExportSweep' });
  const { status, body } = await server.sweep();
  expect(status, server.stderr).toBe(200);
  return JSON.parse(body);
};

const byCommand: Sweep = async (scene) => {
  const argv = ['sweep', '--backend', 'gcp', '--charts-api-mode', 'real', '--json'];
  const { exitCode, stdout, stderr } = await runCli(argv, { cwd: scene.gcp.cwd, env: scene.env });
  expect(exitCode, stderr).toBe(0);
  return JSON.parse(stdout);
};

const KILLED: readonly (readonly [string, CallName | 'put', number, number, Sweep])[] = [
  ['after the claim, by the function', 'claim', 1, 0, byFunction],
  ['with a chart stored, by the command', 'put', 1, 1, byCommand],
  ['with a manifest, by the function', 'put', 3, 2, byFunction],
  ['after the claim, by the command', 'claim', 1, 0, byCommand],
  ['with a chart stored, by the function', 'put', 1, 1, byFunction],
  ['with a manifest, by the command', 'put', 3, 2, byCommand],
];

describe.skipIf(whyNoEmulator)(
  `a worker killed, its event lost: the sweep ends the step ${whyNoEmulator}`,
  { concurrent: true },
  () => {
    test.for(share(KILLED))('%s', async ([, name, nth, stored, sweep], { onTestFinished }) => {
      await onOneUtcDay(async () => {
        const scene = await FunctionScene.open(onTestFinished);
        await scene.writeRun([A], { charts: CHARTS });
        const server = await scene.serve();
        const hook = () => {
          server.kill('SIGKILL');
          return server.ended;
        };
        if (name === 'put') {
          scene.gcp.storage.faults.add({
            kind: name,
            nth,
            fault: { act: 'hook', when: 'after', hook },
          });
        } else {
          scene.proxy.at(name, nth, { applied: hook, end: 'cut' });
        }
        await expect(server.deliver(EVENT)).rejects.toThrow();
        const callsThen = scene.fake.requests.length;
        expect(await scene.lease(A)).toMatchObject({ state: 'ACTIVE' });
        // Its holder may be alive, for all that anybody knows.
        const early = await sweeper(scene).sweep();
        const leaseThen = await scene.lease(A);
        await scene.expireLease(A);
        const result = await sweep(scene);
        return async () => {
          expect(early).toMatchObject({ runs: 1, outcomes: [], leasesClosed: 0, complete: true });
          expect(leaseThen).toMatchObject({ state: 'ACTIVE', attempt: 1 });
          expect(result).toMatchObject({ runs: 1, complete: true });
          expect(result.steps).toHaveLength(1);
          expect(await scene.step(A)).toMatchObject({ status: 'SUCCEEDED' });
          expect(await scene.lease(A)).toMatchObject({ state: 'DONE', attempt: 2 });
          expect(scene.charts(A)).toBe(CHARTS);
          expect(scene.fake.requests).toHaveLength(callsThen + CHARTS - stored);
          expect(scene.gcp.storage.violations).toEqual([]);
        };
      });
    });
  },
);

describe.skipIf(whyNoEmulator)(`the sweep ${whyNoEmulator}`, { concurrent: true }, () => {
  test('goes through every page of the open runs, and does what is to be done, once', async ({
    onTestFinished,
  }) => {
    const scene = await FunctionScene.open(onTestFinished);
    await scene.writeRun([A], { charts: CHARTS });
    const model = await scene.gcp.flowRun(RUN_ID);
    const idle = { ...model, steps: { report: { stepType: 'LLM_REPORT', status: 'READY' } } };
    const idOf = (n: number) => `20251220-${String(120_000 + n)}_BTCUSDT_page`;
    const ready = [0, 99, 100, 180, 249].map(idOf);
    const closed = [1, 101, 201].map(idOf);
    const runs = Array.from({ length: 250 }, (_, n) => {
      const runId = idOf(n);
      const status = n % 2 === 0 ? 'PENDING' : 'RUNNING';
      if (closed.includes(runId)) return { ...model, runId, status: 'SUCCEEDED' };
      return { ...(ready.includes(runId) ? model : idle), runId, status };
    });
    const hostile = ['a b', 'constructor', `${RUN_ID}.x`].map((runId) => ({ ...model, runId }));
    const { documents } = scene.gcp;
    for (const some of [runs.slice(0, 125), runs.slice(125), hostile]) {
      const writes = some.map((data) => {
        const path = paths.flowRun(String((data as JsonObject).runId));
        return { kind: 'put', path, data: data as JsonObject } as const;
      });
      expect(await documents.commit(writes)).toMatchObject({ status: 'committed' });
    }
    const first = sweeper(scene);
    const result = await first.sweep();
    // Those 250, the hostile ones and the model, without those that are closed.
    const open = 250 - closed.length + hostile.length + 1;
    expect(result).toMatchObject({ runs: open, leasesClosed: 0, runningLong: 0, complete: true });
    const expected = [...ready, RUN_ID];
    expect(result.outcomes.map(({ reason }) => reason)).toEqual(expected.map(() => 'succeeded'));
    for (const runId of expected) {
      expect(await scene.step(A, runId)).toMatchObject({ status: 'SUCCEEDED' });
    }
    for (const runId of closed)
      expect(await scene.step(A, runId)).toMatchObject({ status: 'READY' });
    const passedOver = first.log.filter(({ event }) => event === 'run_id_passed_over');
    expect(passedOver).toHaveLength(hostile.length);
    for (const { runId } of hostile) {
      expect(await scene.step(A, runId)).toMatchObject({ status: 'READY' });
    }
    // An instance lives for thousands of steps: none of them is kept.
    const { signal, windDown } = first.instance.ending;
    for (const of of [signal, windDown]) expect(getEventListeners(of, 'abort')).toEqual([]);

    const { writes } = scene;
    expect(await sweeper(scene).sweep()).toEqual({ ...result, outcomes: [] });
    expect(scene.writes).toBe(writes);
    expect(scene.fake.requests).toHaveLength(expected.length * CHARTS);
  });

  test('closes the leases of steps that are not RUNNING, leaves the live ones, tells of the old', async ({
    onTestFinished,
  }) => {
    const scene = await FunctionScene.open(onTestFinished);
    await scene.writeRun([A, B, C], { charts: CHARTS, dependsOn: { [C]: ['no-such-step'] } });
    await setStatus(scene, A, 'RUNNING');
    await setStatus(scene, B, 'SKIPPED');
    const old = leaseOf({ claimedAt: new Date(Date.now() - 31 * 60_000).toISOString() });
    await scene.gcp.put(paths.lease(RUN_ID, A), { ...old });
    await scene.gcp.put(paths.lease(RUN_ID, B), { ...leaseOf({ state: 'RELEASED' }) });
    await scene.gcp.put(paths.lease(RUN_ID, C), { ...leaseOf({}) });
    const { sweep, log } = sweeper(scene);
    expect(await sweep()).toMatchObject({ outcomes: [], leasesClosed: 2, runningLong: 1 });
    expect(await scene.lease(A)).toEqual(old);
    expect(await scene.lease(B)).toMatchObject({ state: 'DONE' });
    expect(await scene.lease(C)).toMatchObject({ state: 'DONE' });
    const facts = { severity: 'WARNING', stepId: A, runId: RUN_ID, runningSince: old.claimedAt };
    expect(log.filter(({ event }) => event === 'step_running_long')).toMatchObject([facts]);

    expect(await sweep()).toMatchObject({ outcomes: [], leasesClosed: 0, runningLong: 1 });
    await scene.gcp.put(paths.lease(RUN_ID, A), { ...leaseOf({}) });
    expect(await sweep()).toMatchObject({ leasesClosed: 0, runningLong: 0 });
  });

  test('does not close the lease of a claim that it meets on its way', async ({
    onTestFinished,
  }) => {
    const scene = await FunctionScene.open(onTestFinished);
    // Blocked for the sweep's own look at it, claimed when it looks at the leases.
    await scene.writeRun([A, B], { charts: CHARTS, dependsOn: { [A]: [B] } });
    await setStatus(scene, B, 'PENDING');
    const claim = async () => {
      await setStatus(scene, B, 'SUCCEEDED');
      await setStatus(scene, A, 'RUNNING');
      await scene.gcp.put(paths.lease(RUN_ID, A), { ...leaseOf({}) });
    };
    // The first query is for the runs; the second, for the leases, finds the claim.
    scene.proxy.at('query', 2, { before: claim });
    expect(await sweeper(scene).sweep()).toMatchObject({ leasesClosed: 0 });
    expect(scene.proxy.count('query', 200)).toBe(2);
    expect(await scene.lease(A)).toMatchObject({ state: 'ACTIVE' });
  });

  test('beside itself and the events of the same runs: each step is done once', async ({
    onTestFinished,
  }) => {
    await onOneUtcDay(async () => {
      const scene = await FunctionScene.open(onTestFinished, { latencyMs: 20 });
      const runIds = Array.from({ length: 4 }, (_, n) => `20251221-12000${n}_BTCUSDT_both`);
      for (const runId of runIds) await scene.writeRun([A, B], { runId, charts: CHARTS });
      const others = Array.from({ length: 4 }, () => sweeper(scene));
      const [one, two, three, four] = others.map(({ instance }) => instance);
      const deliveries = [...runIds, ...runIds].map((runId, n) => {
        const message = messageOf(binaryEvent(runId, { id: `e-${n}` }));
        return (n % 2 === 0 ? three : four)?.deliver(message);
      });
      const [sweeps, answers] = await Promise.all([
        Promise.all([one?.sweep(), two?.sweep()]),
        Promise.all(deliveries),
      ]);
      return async () => {
        for (const result of sweeps) expect(result).toMatchObject({ complete: true });
        for (const delivery of answers) expect(delivery?.answer).toBe(204);
        const ends = others
          .flatMap(({ log }) => log)
          .filter(({ event }) => event === 'step_completed');
        expect(ends.map(({ runId, stepId }) => `${runId} ${stepId}`).sort()).toEqual(
          runIds.flatMap((runId) => [`${runId} ${A}`, `${runId} ${B}`]),
        );
        for (const runId of runIds) {
          for (const stepId of [A, B]) {
            expect(await scene.step(stepId, runId)).toMatchObject({ status: 'SUCCEEDED' });
            expect(await scene.lease(stepId, runId)).toMatchObject({ state: 'DONE', attempt: 1 });
            expect(scene.objects(stepId, runId)).toHaveLength(CHARTS + 1);
          }
        }
        expect(scene.fake.requests).toHaveLength(ends.length * CHARTS);
        expect(await scene.unitsUsed()).toBe(ends.length * CHARTS);
      };
    });
  });

  // Alone: it is about seconds.
  test.sequential('whose time is over says so; a step that had less than its share is not failed for it', async ({
    onTestFinished,
  }) => {
    const scene = await FunctionScene.open(onTestFinished);
    const runIds = [0, 1, 2].map((n) => `20251221-12000${n}_BTCUSDT_time`);
    const { sweep } = sweeper(scene, { CHARTS_TIMEOUT_SECONDS: '6' });
    // Its first connections take time that is not to be judged here.
    expect(await sweep()).toMatchObject({ runs: 0, complete: true });
    for (const runId of runIds) await scene.writeRun([A], { runId, charts: CHARTS });
    scene.fake.faults.add({ nth: 3 * CHARTS, fault: { act: 'hang' } });
    const first = await sweep();
    expect(first.complete).toBe(false);
    expect(first.outcomes.map(({ reason }) => reason)).toEqual([
      'succeeded',
      'succeeded',
      'interrupted',
    ]);
    const last = runIds.at(-1) as string;
    expect(await scene.step(A, last)).toMatchObject({ status: 'RUNNING' });
    expect(await scene.lease(A, last)).toMatchObject({ state: 'RELEASED' });

    const next = await sweep();
    expect(next.complete).toBe(true);
    expect(next.outcomes.map(({ reason }) => reason)).toEqual(['succeeded']);
    // Only the chart that was cut is asked for once more.
    expect(scene.fake.requests).toHaveLength(runIds.length * CHARTS + 1);
  });
});

test('the sweep of a workspace does READY steps, and ends those of a worker that was killed', async ({
  onTestFinished,
}) => {
  const scene = await StepScene.in(await emptyFolder(onTestFinished));
  const missing = 'ctpl_price_psar_adi_v1';
  const { env } = await heldFixtures(scene.cwd, [missing]);
  const isStored = ({ event }: { readonly event: string }) => event === 'chart_stored';
  const killed = scene.start({ env, flags: ['--concurrency', '1'] });
  await killed.asked(missing);
  await expect.poll(() => killed.log.filter(isStored).length).toBe(2);
  killed.kill('SIGKILL');
  expect((await killed.ended).signal).toBe('SIGKILL');
  expect(await scene.step()).toMatchObject({ status: 'RUNNING' });
  const other = '20251221-120001_BTCUSDT_demo';
  const folder = join(scene.workspace.root, 'firestore', 'flow_runs');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${other}.json`), JSON.stringify(flowRun({ runId: other })));

  const argv = ['sweep', '--json'];
  const { exitCode, stdout, stderr } = await runCli(argv, { cwd: scene.cwd });
  expect(exitCode, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    runs: 2,
    complete: true,
    steps: [
      { status: 'SUCCEEDED', attempt: 2, itemsCount: 3 },
      { runId: other, status: 'SUCCEEDED', attempt: 1 },
    ],
  });
  const reused = logLines(stderr).filter(({ event }) => event === 'chart_reused');
  expect(reused).toHaveLength(2);
  expect(await scene.step()).toMatchObject({ status: 'SUCCEEDED' });
  expect(await scene.lease()).toMatchObject({ state: 'DONE' });
  expect(await scene.workspace.step(other, STEP_ID)).toMatchObject({ status: 'SUCCEEDED' });
  const again = await runCli(argv, { cwd: scene.cwd });
  expect(again.exitCode).toBe(0);
  expect(JSON.parse(again.stdout)).toMatchObject({ runs: 2, leasesClosed: 0, steps: [] });
});

async function setStatus(scene: FunctionScene, stepId: string, status: string): Promise<void> {
  const fields = [[['steps', stepId, 'status'], status]] as const;
  const write = { kind: 'patch', path: paths.flowRun(RUN_ID), fields } as const;
  expect(await scene.gcp.documents.commit([write])).toMatchObject({ status: 'committed' });
}

/** Of a holder that is alive, for all that anybody knows. */
function leaseOf(changes: Partial<LeaseDocument>): LeaseDocument {
  return {
    schemaVersion: 1,
    token: 'a-token',
    claimId: 'a-claim',
    attempt: 1,
    state: 'ACTIVE',
    ttlMs: 600_000,
    heartbeat: 1,
    writeId: 'a-write',
    claimedAt: new Date().toISOString(),
    owner: { host: 'elsewhere', pid: 1, started: 'then' },
    reserved: {},
    ...changes,
  };
}
