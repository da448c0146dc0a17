import { describe, expect, test } from 'vitest';
import { manifestName } from '../../src/artifacts/object-names.js';
import type { JsonObject } from '../../src/contracts/documents.js';
import { EXPLAINED_CODES, explain } from '../../src/report/remedies.js';
import {
  CliProcess,
  emptyFolder,
  flowRun,
  jsonFile,
  logLines,
  runCli,
} from '../support/cli-run.js';
import { filesIn } from '../support/cli-workspace.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { gcpScene, type LookScene, localScene } from '../support/look-scene.js';
import { runOnPty, whyNoPty } from '../support/pty.js';

const RUN = '20251221-120000_BTCUSDT_demo';
const FINISHED = '2025-12-21T12:00:30.000Z';

function step(more: JsonObject = {}): JsonObject {
  const inputs = { requests: [{ chartTemplateId: 'ctpl_price_ma1226_vol_v1' }] };
  return { stepType: 'CHART_EXPORT', status: 'READY', timeframe: '1h', inputs, ...more };
}

function run(steps: JsonObject, more: JsonObject = {}): JsonObject {
  return { ...flowRun(), runId: RUN, steps, ...more };
}

/** Of a process that nobody here can look at. */
function lease(more: JsonObject = {}): JsonObject {
  return {
    schemaVersion: 1,
    token: 't',
    claimId: 'c',
    attempt: 2,
    state: 'ACTIVE',
    ttlMs: 90_000,
    heartbeat: 1,
    writeId: 'w',
    claimedAt: new Date(Date.now() - 125_000).toISOString(),
    owner: { host: 'elsewhere', pid: 4711, started: 'then' },
    reserved: {},
    ...more,
  };
}

function manifest(stepId: string, items: readonly string[], failures: readonly JsonObject[] = []) {
  return JSON.stringify({
    schemaVersion: 1,
    runId: RUN,
    stepId,
    createdAt: FINISHED,
    symbol: 'BTCUSDT',
    timeframe: '1h',
    minImages: 1,
    requested: [...items, ...failures.map((_, at) => `f${at}`)].map((chartTemplateId) => ({
      chartTemplateId,
    })),
    items: items.map((chartTemplateId) => ({
      chartTemplateId,
      kind: 'k',
      generatedAt: FINISHED,
      png_gcs_uri: `gs://b/${chartTemplateId}.png`,
    })),
    failures: failures.map((error, at) => ({ request: { chartTemplateId: `f${at}` }, error })),
  });
}

/** A settled step, as its document says. */
function settled(scene: LookScene, stepId: string, more: JsonObject = {}): JsonObject {
  const uri = `gs://${scene.bucket}/${manifestName({ runId: RUN, stepId })}`;
  return step({
    status: 'SUCCEEDED',
    finishedAt: FINISHED,
    outputs: { outputsManifestGcsUri: uri },
    ...more,
  });
}

async function look(scene: LookScene, ...more: string[]) {
  const before = await scene.snapshot();
  const argv = ['status', '--run-id', RUN, ...more];
  const json = await scene.run(...argv, '--json');
  const text = await scene.run(...argv);
  expect(await scene.snapshot()).toEqual(before);
  const view = JSON.parse(json.stdout);
  const steps: Record<string, JsonObject> = Object.fromEntries(
    (view.steps ?? []).map((step: { stepId: string }) => [step.stepId, step]),
  );
  return { json, text, view, steps };
}

/** Below the step's own heading. */
function detailsIn(stdout: string, stepId: string): string {
  return stdout.split(`\n\n${stepId}\n`)[1]?.split('\n\n')[0] ?? '';
}

const SUITES = [
  { name: 'local', open: localScene, skip: false as boolean },
  { name: `gcp ${whyNoEmulator ?? ''}`, open: gcpScene, skip: Boolean(whyNoEmulator) },
];

for (const { name, open, skip } of SUITES) {
  describe.skipIf(skip)(`status on ${name}`, () => {
    test('tells who is ready, blocked, held, dead, released and nobody’s', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished);
      const running = step({ status: 'RUNNING' });
      await scene.put(
        `flow_runs/${RUN}`,
        run({
          'j:released': running,
          'a:ready': step(),
          'b:blocked': step({ dependsOn: ['ohlcv', 'gone'] }),
          'c:live': running,
          'd:expired': running,
          'e:unleased': running,
          'f:pending': step({ status: 'PENDING' }),
          'g:skipped': step({ status: 'SKIPPED' }),
          'h:absent-only': step({ dependsOn: ['gone'] }),
          'evil\u001b[2J/../x': step(),
          ohlcv: { stepType: 'OHLCV_EXPORT', status: 'RUNNING' },
        }),
      );
      const leases = `flow_runs/${RUN}/step_leases`;
      await scene.put(`${leases}/c:live`, lease());
      await scene.put(`${leases}/d:expired`, lease({ ttlMs: 1 }));
      await scene.put(`${leases}/j:released`, lease({ state: 'RELEASED' }));

      const { json, text, steps } = await look(scene);
      expect([json.exitCode, text.exitCode]).toEqual([0, 0]);
      expect(Object.entries(steps).map(([id, { verdict }]) => [id, verdict])).toEqual([
        ['a:ready', 'eligible'],
        ['b:blocked', 'blocked'],
        ['c:live', 'held'],
        ['d:expired', 'eligible'],
        ['e:unleased', 'unleased'],
        ['f:pending', 'not-ready'],
        ['g:skipped', 'final'],
        ['h:absent-only', 'blocked'],
        ['j:released', 'eligible'],
      ]);
      expect(steps['b:blocked']).toMatchObject({
        blockedBy: ['ohlcv (RUNNING)', '"gone" (not in the run)'],
      });
      expect(steps['c:live']).toMatchObject({
        attempt: 2,
        lease: { standing: 'live', state: 'ACTIVE', host: 'elsewhere', pid: 4711 },
      });
      expect(steps['d:expired']).toMatchObject({ lease: { standing: 'expired' } });
      expect(steps['j:released']).toMatchObject({ lease: { standing: 'released' } });
      expect(steps['e:unleased']?.lease).toBeNull();

      const { stdout, stderr } = text;
      expect(stdout).toMatch(/^c:live +RUNNING +held +- +2 +2 min \d+ s ago$/m);
      expect(detailsIn(stdout, 'c:live')).toMatch(
        /holder +process 4711 on elsewhere since \S+Z \(2 min \d+ s ago\), attempt 2, lease ACTIVE: at work;.*after 1 min 30 s of silence/,
      );
      const next =
        name === 'local' ? 'run-local or sweep does it$' : 'the function does it at its event;';
      expect(detailsIn(stdout, 'a:ready')).toMatch(new RegExp(`^  next +${next}`, 'm'));
      expect(detailsIn(stdout, 'd:expired')).toMatch(/its holder died.*\n.*\n.*: dead; its last/);
      expect(detailsIn(stdout, 'j:released')).toMatch(/lease RELEASED: gave the step back/);
      expect(detailsIn(stdout, 'e:unleased')).toMatch(/without a lease.*--replay/);
      expect(detailsIn(stdout, 'b:blocked')).toMatch(
        /blocked by ohlcv \(RUNNING\), "gone" \(not in the run\)\n.*--ignore-dependencies/,
      );
      expect(detailsIn(stdout, 'h:absent-only')).toMatch(/--step-id passes over/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none may come through
      expect(stdout).not.toMatch(/evil|\u001b/);
      const passed = logLines(stderr).filter(({ event }) => event === 'step_id_passed_over');
      expect(passed).toHaveLength(1);
    });

    test('reads the manifest, and says when it is absent, broken or elsewhere', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished);
      const failure = { code: 'CHART_API_FAILED', message: 'no', details: { httpStatus: 422 } };
      await scene.put(
        `flow_runs/${RUN}`,
        run({
          'a:partial': settled(scene, 'a:partial'),
          'b:absent': settled(scene, 'b:absent'),
          'c:broken': settled(scene, 'c:broken'),
          'd:invalid': settled(scene, 'd:invalid'),
          'e:elsewhere': step({
            status: 'SUCCEEDED',
            outputs: { outputsManifestGcsUri: `gs://${scene.bucket}/../../secrets\u001b[2J` },
          }),
        }),
      );
      const put = (id: string, text: string) =>
        scene.putObject(manifestName({ runId: RUN, stepId: id }), text);
      await put('a:partial', manifest('a:partial', ['x', 'y'], [failure]));
      await put('c:broken', '{"half');
      await put('d:invalid', '{}');
      const { json, text, steps } = await look(scene);
      expect(json.exitCode).toBe(0);
      const gsUri = `gs://${scene.bucket}/${manifestName({ runId: RUN, stepId: 'a:partial' })}`;
      expect(steps['a:partial']?.manifest).toMatchObject({
        gsUri,
        items: 2,
        failures: [{ chartTemplateId: 'f0', ...failureWords(failure) }],
        problem: null,
      });
      expect(text.stdout).toMatch(/^a:partial +SUCCEEDED +- +2 ok, 1 failed /m);
      const details = detailsIn(text.stdout, 'a:partial');
      expect(details).toContain(`manifest  ${gsUri}\n`);
      expect(details).toContain(
        name === 'local'
          ? '.worker-chart-export/gcs/local/charts/'
          : `https://storage.googleapis.com/${scene.bucket}/charts/${RUN}/a%3Apartial/manifest.json`,
      );
      expect(details).toContain(explain(failure).remedy);
      expect(steps['b:absent']?.manifest).toMatchObject({
        items: null,
        problem: 'it is not there',
      });
      expect(steps['c:broken']?.manifest).toMatchObject({ problem: 'it is broken: not JSON' });
      expect(steps['d:invalid']?.manifest).toMatchObject({
        problem: expect.stringMatching(/^it is broken: .*; runId: is required/),
      });
      expect(steps['e:elsewhere']?.manifest).toMatchObject({
        problem: expect.stringMatching(/it is not read$/),
      });
      expect(detailsIn(text.stdout, 'b:absent')).toContain('manifest: it is not there');
      expect(text.stdout).not.toContain('\u001b');
    });

    test('tells each kind of error in words with its remedy', async ({ onTestFinished }) => {
      const scene = await open(onTestFinished);
      const errors = [
        ...EXPLAINED_CODES.map((code) => ({ code, message: 'm' })),
        { code: 'CHART_API_FAILED', message: 'm', details: { reason: 'deadline' } },
        { code: 'FROM_THE_FUTURE', message: 'm' },
      ];
      const ids = errors.map((_, at) => `s${String(at).padStart(2, '0')}`);
      const steps = ids.map((id, at) => [id, step({ status: 'FAILED', error: errors[at] })]);
      const strange = step({ status: 'FAILED', error: 'words' });
      await scene.put(`flow_runs/${RUN}`, run({ ...Object.fromEntries(steps), strange }));
      const { text, steps: seen } = await look(scene);
      for (const [at, error] of errors.entries()) {
        const id = ids[at] ?? '';
        expect(seen[id]).toMatchObject({ verdict: 'final', error: failureWords(error) });
        const { title, remedy } = explain(error);
        expect(detailsIn(text.stdout, id)).toContain(`${title}. ${error.code}: m`);
        expect(detailsIn(text.stdout, id)).toContain(remedy);
      }
      expect(seen.strange).toMatchObject({ error: { code: 'without a code' } });
    });

    test('of a cancelled run nothing is eligible, and watching it ends', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished);
      await scene.put(`flow_runs/${RUN}`, run({ a: step() }, { status: 'CANCELLED' }));
      const { json, steps } = await look(scene, '--watch');
      expect(json.exitCode).toBe(0);
      expect(steps.a).toMatchObject({ verdict: 'not-ready', reason: `run ${RUN} is CANCELLED` });
    });

    test('no such run, no such step, another kind of step: 2, and what to do', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished);
      const absent = await look(scene);
      expect([absent.json.exitCode, absent.text.exitCode]).toEqual([2, 2]);
      expect(absent.view).toMatchObject({
        error: {
          code: 'VALIDATION_FAILED',
          message: expect.stringMatching(
            name === 'local'
              ? /in the workspace .*--flow-run-path/
              : /Firestore.*--create-flow-run/,
          ),
        },
      });
      await scene.put(`flow_runs/${RUN}`, run({ a: step(), o: { stepType: 'OHLCV_EXPORT' } }));
      const one = await look(scene, '--step-id', 'b');
      expect(one.json.exitCode).toBe(2);
      expect(one.view.error.message).toMatch(/has no step b; it has a, o/);
      const other = await look(scene, '--step-id', 'o');
      expect(other.view.error.message).toMatch(/OHLCV_EXPORT/);
      const named = await look(scene, '--step-id', 'a');
      expect(Object.keys(named.steps)).toEqual(['a']);
    });

    test('--watch prints what changes, until all is final', async ({ onTestFinished }) => {
      const scene = await open(onTestFinished);
      const path = `flow_runs/${RUN}`;
      await scene.put(path, run({ a: step() }));
      const argv = ['status', '--run-id', RUN, '--watch', '--json', ...scene.flags];
      const watching = new CliProcess(argv, { cwd: scene.cwd, env: scene.env });
      const lines: JsonObject[] = [];
      const arrived = new Promise<void>((resolve) => {
        watching.child.stdout?.on('data', () => resolve());
      });
      await arrived;
      await scene.put(path, run({ a: step({ status: 'FAILED', finishedAt: FINISHED }) }));
      const { exitCode, stdout } = await watching.ended;
      lines.push(
        ...stdout
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line)),
      );
      expect(exitCode).toBe(0);
      expect(lines).toMatchObject([
        { steps: [{ status: 'READY' }] },
        { steps: [{ status: 'FAILED' }] },
      ]);
    });
  });
}

function failureWords(error: { code: string; message: string; details?: JsonObject }) {
  return { code: error.code, message: error.message, ...explain(error) };
}

describe('status of a file', () => {
  test('that was not imported is the file’s own, and leaves no workspace', async ({
    onTestFinished,
  }) => {
    const cwd = await emptyFolder(onTestFinished);
    const file = await jsonFile(cwd, 'run.json', run({ a: step() }));
    const before = await filesIn(cwd);
    const text = await runCli(['status', '--flow-run-path', file], { cwd });
    expect(text.exitCode).toBe(0);
    expect(text.stdout).toMatch(/not imported yet/);
    const missing = await runCli(['status', '--flow-run-path', file, '--step-id', 'b'], { cwd });
    expect(missing.exitCode).toBe(2);
    expect(await filesIn(cwd)).toEqual(before);
    // The remedy, followed: it imports, does the step, and status shows it.
    expect((await runCli(['run-local', '--flow-run-path', file], { cwd })).exitCode).toBe(0);
    const done = await runCli(['status', '--flow-run-path', file, '--json'], { cwd });
    expect(JSON.parse(done.stdout)).toMatchObject({
      stored: true,
      steps: [{ status: 'SUCCEEDED', attempt: 1, manifest: { items: 1, failures: [] } }],
    });
  });

  test.for([
    { what: 'nothing named', argv: [], names: /--run-id <id>/ },
    { what: 'a bad id', argv: ['--run-id', '../x'], names: /is not a run id/ },
    { what: 'both', argv: ['--run-id', RUN, '--flow-run-path', 'x'], names: /not both/ },
    { what: 'no such file', argv: ['--flow-run-path', 'nowhere.json'], names: /nowhere\.json/ },
    { what: 'a bad time', argv: ['--run-id', RUN, '--timeout', 'x'], names: /--timeout/ },
  ])('$what is 2', async ({ argv, names }, { onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const { exitCode, stdout } = await runCli(['status', ...argv, '--json'], { cwd });
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout).error.message).toMatch(names);
    expect(await filesIn(cwd)).toEqual({});
  });

  test.skipIf(whyNoPty)(
    `a watch that is over says so below the last state ${whyNoPty}`,
    async ({ onTestFinished }) => {
      const cwd = await emptyFolder(onTestFinished);
      const file = await jsonFile(cwd, 'run.json', run({ a: step() }));
      const argv = ['status', '--flow-run-path', file, '--watch', '--timeout', '0.001'];
      const { exitCode, screen } = await runOnPty(argv, { cwd, env: { NO_COLOR: '1' } });
      expect(exitCode).toBe(3);
      expect(screen).toMatch(/^run 2025[\s\S]*warning: --timeout is over, .*watch again\n$/);
      expect(screen.match(/^STEP /gm)).toHaveLength(1);
    },
  );

  test('a watch ends by its time (3) and by SIGINT (130)', async ({ onTestFinished }) => {
    const scene = await localScene(onTestFinished);
    await scene.put(`flow_runs/${RUN}`, run({ a: step() }));
    const argv = ['status', '--run-id', RUN, '--watch'];
    const timed = await scene.run(...argv, '--timeout', '1');
    expect(timed.exitCode).toBe(3);
    // In a pipe what only grew older is not told again.
    expect(timed.stdout.match(/^STEP/gm)).toHaveLength(1);
    const watching = new CliProcess(argv, { cwd: scene.cwd });
    await new Promise((resolve) => watching.child.stdout?.once('data', resolve));
    watching.kill('SIGINT');
    expect((await watching.ended).exitCode).toBe(130);
  });
});
