import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bareLock } from '../support/bare-lock.js';
import { CliProcess, emptyFolder } from '../support/cli-run.js';
import { summaryOn } from '../support/cli-workspace.js';
import { heldFixtures } from '../support/held-fixtures.js';
import { makePipes, SAY_PIPE_OPENED } from '../support/pipes.js';
import {
  chartsOf,
  MANIFEST,
  onOneUtcDay,
  RUN_ID,
  STEP_ID,
  StepScene,
  THREE_CHARTS,
  told,
} from '../support/step-scene.js';
import { expectAtRest, expectDone } from '../support/whole-files.js';

const [FIRST, SECOND, THIRD] = THREE_CHARTS;
const SIGNALS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const;

/** A program that has stored the first chart and waits, for ever, for the second. */
async function midStep(scene: StepScene): Promise<CliProcess> {
  const { env } = await heldFixtures(scene.cwd, [SECOND]);
  const process = scene.start({ flags: ['--concurrency', '1'], env });
  await process.asked(SECOND);
  await process.event('chart_stored');
  return process;
}

/** Resolves when the program has said that it heard the first signal. */
function heard(process: CliProcess, signal: NodeJS.Signals): Promise<void> {
  return new Promise((resolve, reject) => {
    let stderr = '';
    process.child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk;
      if (stderr.includes(`${signal}: ending`)) resolve();
    });
    void process.ended.then(() => reject(new Error(`ended without a word: ${stderr}`)));
  });
}

describe.concurrent('after the claim', () => {
  test.for(SIGNALS)(
    '%s gives the step back with what was not sent, and the next run resumes it',
    async ([signal, exitCode], { onTestFinished }) => {
      await onOneUtcDay(async () => {
        const scene = await StepScene.in(await emptyFolder(onTestFinished));
        const process = await midStep(scene);
        const { claimId } = await scene.lease();
        const reserved = await scene.unitsUsed();
        process.kill(signal);
        const interrupted = told(await process.ended);
        const [step, lease, units] = [
          await scene.step(),
          await scene.lease(),
          await scene.unitsUsed(),
        ];
        await expectAtRest(scene);
        const next = await scene.finish();

        return async () => {
          expect(interrupted).toMatchObject({ exitCode, signal: null });
          expect(summaryOn(interrupted.stdout)).toMatchObject({
            status: 'RUNNING',
            errorCode: null,
            runId: RUN_ID,
            stepId: STEP_ID,
            noop: false,
            attempt: 1,
            message: expect.stringMatching(/given back and whoever runs it next resumes it$/),
          });
          expect(step.status).toBe('RUNNING');
          expect(step).not.toHaveProperty('finishedAt');
          expect(step.outputs).toEqual({});
          expect(lease).toMatchObject({ state: 'RELEASED', attempt: 1, claimId });
          // The first was drawn and the second asked for; the third never was.
          expect([reserved, units]).toEqual([3, 2]);

          expect(next.exitCode, next.stderr).toBe(0);
          // A release is not a death.
          expect(next.summary).toMatchObject({ status: 'SUCCEEDED', noop: false, attempt: 1 });
          expect(await scene.lease()).toMatchObject({ attempt: 1, claimId });
          expect(chartsOf(next.log, 'chart_reused')).toEqual([FIRST]);
          expect(chartsOf(next.log, 'chart_api_call_start')).toEqual([SECOND, THIRD]);
          const stored = interrupted.log.find(({ event }) => event === 'chart_stored');
          const { items } = await scene.workspace.manifest(MANIFEST);
          expect(items[0]?.png_gcs_uri).toBe(`gs://local/${stored?.objectName}`);
          await expectDone(scene, THREE_CHARTS);
          await expectAtRest(scene);
          expect(await scene.unitsUsed()).toBe(4);
        };
      });
    },
  );

  test.for(SIGNALS)(
    'a second %s ends the program at once, busy as it is; the step then counts as abandoned',
    async ([signal, exitCode], { onTestFinished }) => {
      const scene = await StepScene.in(await emptyFolder(onTestFinished));
      const process = await midStep(scene);
      // Giving the step back takes the lock, which somebody else does not let go of.
      const lock = await bareLock(scene.workspace.root).acquire();
      try {
        process.kill(signal);
        await heard(process, signal);
        process.kill(signal);
        expect(await process.ended).toMatchObject({ exitCode, signal: null, stdout: '' });
      } finally {
        lock.release();
      }
      expect((await scene.step()).status).toBe('RUNNING');
      const { state, claimId } = await scene.lease();
      expect(state).toBe('ACTIVE');

      const next = await scene.finish();
      expect(next.exitCode, next.stderr).toBe(0);
      expect(next.summary).toMatchObject({ status: 'SUCCEEDED', attempt: 2 });
      expect(chartsOf(next.log, 'chart_reused')).toEqual([FIRST]);
      expect((await scene.lease()).claimId).toBe(claimId);
      await expectDone(scene, THREE_CHARTS);
      await expectAtRest(scene);
    },
  );
});

describe.concurrent('before the claim', () => {
  test.for(SIGNALS)(
    '%s leaves the step as it was',
    async ([signal, exitCode], { onTestFinished }) => {
      const scene = await StepScene.in(await emptyFolder(onTestFinished));
      await mkdir(scene.workspace.root);
      // It waits for its turn to bring the flow run in.
      const lock = await bareLock(scene.workspace.root).acquire();
      const process = scene.start();
      await process.event('local_run_started');
      process.kill(signal);
      await heard(process, signal);
      lock.release();
      const ended = told(await process.ended);

      expect(ended).toMatchObject({ exitCode, signal: null });
      expect(summaryOn(ended.stdout)).toMatchObject({
        status: null,
        errorCode: null,
        noop: true,
        attempt: null,
      });
      const given = JSON.parse(await readFile(scene.path('flow_run.json'), 'utf8'));
      expect(await scene.workspace.document('flow_runs', RUN_ID)).toEqual(given);
      expect((await scene.step()).status).toBe('READY');
      await expect(scene.lease()).rejects.toThrow('ENOENT');
      expect(await scene.unitsUsed()).toBeUndefined();
      expect(chartsOf(ended.log, 'chart_api_call_start')).toEqual([]);
      await expectAtRest(scene);
      expect((await scene.finish()).summary).toMatchObject({ status: 'SUCCEEDED', attempt: 1 });
    },
  );

  test.for([
    [1, 'run-local --flow-run-path pipe'],
    [1, 'validate pipe'],
    [2, 'usage --accounts-config-path pipe'],
    [2, 'invoke-event --event-path pipe'],
    [2, 'report pipe'],
  ] as const)('%i SIGTERM end `%s`, which nobody writes to', async ([signals, line], context) => {
    const { onTestFinished } = context;
    const argv = line.split(' ');
    const cwd = await emptyFolder(onTestFinished);
    await makePipes([join(cwd, 'pipe')]);
    const process = new CliProcess([...argv, '--log-format', 'json'], {
      cwd,
      preload: [SAY_PIPE_OPENED],
    });
    await process.event('pipe_opened');
    process.kill('SIGTERM');
    if (signals === 2) {
      await heard(process, 'SIGTERM');
      process.kill('SIGTERM');
    }
    expect((await process.ended).exitCode).toBe(143);
  });

  test.for(SIGNALS)(
    '%s is obeyed while a pipe still keeps the flow run back',
    async ([signal, exitCode], { onTestFinished }) => {
      const cwd = await emptyFolder(onTestFinished);
      const argv = ['run-local', '--flow-run-path', '-', '--output-summary', 'json'];
      const process = new CliProcess(argv, { cwd, input: null });
      await process.event('local_run_started');
      process.kill(signal);
      const ended = await process.ended;
      expect(ended).toMatchObject({ exitCode, signal: null });
      expect(summaryOn(ended.stdout)).toMatchObject({ status: null, runId: null, noop: true });
      expect(await readdir(cwd)).toEqual([]);
    },
  );
});
