import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { emptyFolder } from '../support/cli-run.js';
import { summaryOn } from '../support/cli-workspace.js';
import { heldFixtures } from '../support/held-fixtures.js';
import { makePipes, SAY_PIPE_OPENED } from '../support/pipes.js';
import { ALL_CASES, PROVING } from '../support/share.js';
import {
  chartsOf,
  onOneUtcDay,
  StepScene,
  THREE_CHARTS,
  type Told,
  told,
} from '../support/step-scene.js';
import { expectAtRest, expectDone, type Look, watchFiles } from '../support/whole-files.js';

const PROCESSES = PROVING ? 20 : 8;
const ROUNDS = ALL_CASES ? 10 : PROVING ? 2 : 1;
const [FIRST, SECOND] = THREE_CHARTS;
const CHARTS = [FIRST, SECOND];

/**
 * Lets all of them go at once: they wait, loaded, where they would read their accounts, since the
 * time that twenty take to load is longer than the step. Reads what they write while they do.
 */
async function race(scene: StepScene): Promise<{ runs: Told[]; look: Look }> {
  const pipes = Array.from({ length: PROCESSES }, (_, at) => scene.path(`accounts-${at}.pipe`));
  await makePipes(pipes);
  const processes = pipes.map((pipe) =>
    scene.start({ preload: [SAY_PIPE_OPENED], flags: ['--accounts-config-path', pipe] }),
  );
  await Promise.all(processes.map((process) => process.event('pipe_opened')));
  const accounts = await readFile(scene.path('accounts.json'));
  await Promise.all(pipes.map((pipe) => writeFile(pipe, accounts)));
  const ended = Promise.all(processes.map(async (process) => told(await process.ended)));
  const look = await watchFiles(scene.workspace.root, ended);
  return { runs: await ended, look };
}

/** One did the step; the others did nothing and said so. */
function expectOneWinner(runs: readonly Told[], attempt: number): void {
  const summaries = runs.map(({ exitCode, stdout, stderr }) => {
    expect([0, 3], stderr).toContain(exitCode);
    return { exitCode, ...summaryOn(stdout) };
  });
  const winners = summaries.filter(({ noop }) => !noop);
  expect(winners).toMatchObject([{ exitCode: 0, status: 'SUCCEEDED', attempt, itemsCount: 2 }]);
  for (const { exitCode, status, errorCode, attempt } of summaries.filter(({ noop }) => noop)) {
    expect({ errorCode, attempt }).toEqual({ errorCode: null, attempt: null });
    expect(status).toBe(exitCode === 0 ? 'SUCCEEDED' : null);
  }
  const claims = runs.flatMap(({ log }) =>
    log.filter(({ event, claimed }) => event === 'claim_attempt' && claimed === true),
  );
  expect(claims).toMatchObject([{ attempt }]);
}

function expectWholeFiles({ documents, charts, broken }: Look): void {
  expect(broken).toEqual([]);
  // Else nothing was looked at, and the line above says nothing.
  expect(documents).toBeGreaterThan(0);
  expect(charts).toBeGreaterThan(0);
}

describe(`${PROCESSES} processes on one step at once`, () => {
  test.for(Array.from({ length: ROUNDS }, (_, round) => round + 1))(
    'it is done once and paid once, and no file is ever seen half-written (round %i)',
    async (_, { onTestFinished }) => {
      await onOneUtcDay(async () => {
        const scene = await StepScene.in(await emptyFolder(onTestFinished), CHARTS);
        const { runs, look } = await race(scene);
        return async () => {
          expectOneWinner(runs, 1);
          expect(chartsOf(allLogs(runs), 'chart_api_call_start')).toEqual(CHARTS);
          expectWholeFiles(look);
          await expectDone(scene, CHARTS);
          await expectAtRest(scene);
          expect(await scene.lease()).toMatchObject({ attempt: 1 });
          expect(await scene.unitsUsed()).toBe(CHARTS.length);
        };
      });
    },
  );

  test('whose holder was killed: one takes it over and renders what is missing', async ({
    onTestFinished,
  }) => {
    await onOneUtcDay(async () => {
      const scene = await StepScene.in(await emptyFolder(onTestFinished), CHARTS);
      const { env } = await heldFixtures(scene.cwd, [SECOND]);
      const holder = scene.start({ flags: ['--concurrency', '1'], env });
      await holder.asked(SECOND);
      await holder.event('chart_stored');
      holder.kill('SIGKILL');
      await holder.ended;
      const { claimId } = await scene.lease();

      const { runs, look } = await race(scene);
      return async () => {
        expectOneWinner(runs, 2);
        // A takeover that lost its claim had looked as well: only calls cost anything.
        expect(chartsOf(allLogs(runs), 'chart_api_call_start')).toEqual([SECOND]);
        expectWholeFiles(look);
        await expectDone(scene, CHARTS);
        await expectAtRest(scene);
        expect(await scene.lease()).toMatchObject({ attempt: 2, claimId });
        // Both charts for the dead one, who may still have sent, and the missing one again.
        expect(await scene.unitsUsed()).toBe(3);
      };
    });
  });
});

function allLogs(runs: readonly Told[]) {
  return runs.flatMap(({ log }) => log);
}
