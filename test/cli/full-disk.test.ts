import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RunSummary } from '../../src/contracts/documents.js';
import { emptyFolder } from '../support/cli-run.js';
import { summaryOn } from '../support/cli-workspace.js';
import { atEach, countCalls, pointsUpTo, runWithFault } from '../support/fault-points.js';
import { share } from '../support/share.js';
import { StepScene, THREE_CHARTS, type Told, told } from '../support/step-scene.js';
import {
  decidedFiles,
  expectAtRest,
  expectDone,
  lookAtFiles,
  stepIn,
} from '../support/whole-files.js';

/** One clear line for people, whatever happened; never a stack. */
function expectClearWords({ exitCode, stderr, stdout }: Told): RunSummary {
  const summary = summaryOn(stdout);
  expect(stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'))).toEqual([]);
  expect(stderr).not.toMatch(/internal_error|\\n +at /);
  expect(summary.message).toMatch(exitCode === 0 ? /^[^\n]+$/ : /^[^\n]*the disk is full[^\n]*$/);
  return summary;
}

/** A run on a full disk has ended, and there is room again; resolves to how it had ended. */
async function expectToldAndMended(scene: StepScene, run: Told, makeRoom = () => undefined) {
  const { status, errorCode } = expectClearWords(run);
  const { root } = scene.workspace;
  expect((await lookAtFiles(root)).broken).toEqual([]);
  const found = stepIn(await decidedFiles(root));
  // What was reported is what stands in the document.
  if (status !== null) expect(found).toMatchObject({ status });
  else expect(found?.status).not.toBe('FAILED');

  makeRoom();
  const next = await scene.finish({ flags: status === 'FAILED' ? ['--replay'] : [] });
  expect(next.exitCode, next.stderr).toBe(0);
  // A commit whose last renames were refused is decided all the same: it is the next one's to finish.
  const noop = found?.status === 'SUCCEEDED';
  expect(next.summary).toMatchObject({ status: 'SUCCEEDED', noop });
  await expectAtRest(scene);
  // A replay leaves the charts that it replaces in the bucket.
  if (status !== 'FAILED') await expectDone(scene, THREE_CHARTS);
  return `exit ${run.exitCode}, ${status}, ${errorCode}`;
}

describe('a disk that is full', { timeout: 300_000 }, () => {
  const NOT_WRITTEN = 'exit 4, null, INFRASTRUCTURE_ERROR';
  const SETTLED = [
    'exit 0, SUCCEEDED, null',
    'exit 1, FAILED, GCS_WRITE_FAILED',
    'exit 1, FAILED, MANIFEST_WRITE_FAILED',
  ];

  test.for([
    // Each phase makes many calls: every fourth one is in it often enough.
    ['onwards', 30, [NOT_WRITTEN]],
    // As when a neighbour makes room again.
    ['once', 6, [...SETTLED, NOT_WRITTEN]],
  ] as const)(
    'from any call, %s, is told in one line, and the step goes through once there is room',
    async ([span, step, ends], { onTestFinished }) => {
      const folder = await emptyFolder(onTestFinished);
      const fault = { FAIL_WITH: 'ENOSPC', FAIL_SPAN: span };
      const sceneIn = async (name: string) => {
        await mkdir(join(folder, name));
        return StepScene.in(join(folder, name));
      };
      const calls = await countCalls(await sceneIn('unharmed'), fault);
      expect(calls).toBeGreaterThan(60);
      const seen = new Set<string>();
      await atEach(share(pointsUpTo(calls), step), async (n) => {
        const scene = await sceneIn(String(n));
        const run = await runWithFault(scene, n, fault);
        seen.add(await expectToldAndMended(scene, run));
      });
      expect([...seen].sort()).toEqual(ends);
    },
  );
});

describe('a small disk of its own', () => {
  const works = canMount();
  const why = works ? '' : ' (SKIPPED: this machine does not let us mount a tmpfs)';

  // From no room for the run's own document to room for all but one of 32, 44 and 29 KB of charts.
  // Whether the step's end still finds room depends on the system's pages: both ends are right.
  test.skipIf(!works).for(share([8, 40, 64, 80, 120], 4))(
    `of %i KB fills up, and the step goes through once it is bigger${why}`,
    async (sizeKb, { onTestFinished }) => {
      const scene = await StepScene.in(await emptyFolder(onTestFinished));
      const { root } = scene.workspace;
      await mkdir(root);
      mountTmpfs(root, sizeKb);
      try {
        // Of a process: what it could not end is taken over from the dead.
        const run = told(await scene.start().ended);
        expect([1, 4], run.stderr).toContain(run.exitCode);
        await expectToldAndMended(scene, run, () => mountTmpfs(root, 10_000, 'remount'));
      } finally {
        execFileSync('umount', [root]);
      }
    },
  );
});

function mountTmpfs(folder: string, sizeKb: number, ...more: string[]): undefined {
  const options = [...more, `size=${sizeKb}k`].join();
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'pipe' });
}

/** Root on Linux mostly may, but not in most containers. */
function canMount(): boolean {
  if (process.platform !== 'linux') return false;
  const folder = mkdtempSync(join(tmpdir(), 'mount-'));
  try {
    mountTmpfs(folder, 8);
    execFileSync('umount', [folder]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
