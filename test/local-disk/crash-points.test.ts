import { mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LocalArtifactStore } from '../../src/artifacts/local/local-artifact-store.js';
import { LocalDocumentStore } from '../../src/documents/local/local-document-store.js';
import { Workspace } from '../../src/local-disk/workspace.js';
import { tellCases } from '../support/cases.js';
import { pointsUpTo } from '../support/fault-points.js';
import { LocalWorker, temporaryFolder } from '../support/local-processes.js';
import { OBJECT, ROUND_PATHS, roundWrites } from '../support/local-rounds.js';
import { share } from '../support/share.js';

/** How many rounds are whole in a workspace, for the commits and for the puts. */
interface Rounds {
  readonly committed: number;
  readonly stored: number;
}

/** A worker's own account: what it was told of each commit and put. */
type Told = ReadonlyMap<string, string>;

/** Runs the worker's two rounds with a fault at its n-th call, and looks at what it left. */
async function runInto(
  folder: string,
  fault: Readonly<Record<string, string>>,
  judge: (rounds: Rounds, told: Told, signal: NodeJS.Signals | null) => void,
): Promise<number> {
  const root = join(folder, 'used');
  const countFile = join(folder, 'count');
  await mkdir(folder);
  const env = { ...fault, CRASH_UNDER: root, COUNT_FILE: countFile };
  const { signal, code, lines, stderr } = await new LocalWorker(['rounds', root], env).ended;
  expect(signal ?? code, stderr).toBe(code === null ? 'SIGKILL' : 0);
  const told: Told = new Map(lines.map((line) => line.split(' ') as [string, string]));
  // Found again under another name, as by a container that mounts it elsewhere.
  const found = join(folder, 'found');
  await mkdir(root, { recursive: true });
  await rename(root, found);
  judge(await lookInto(found), told, signal);
  await checkThatItWorks(found);
  return code === 0 ? Number(await readFile(countFile, 'utf8')) : 0;
}

async function lookInto(root: string): Promise<Rounds> {
  const workspace = await Workspace.open(root);
  const documents = new LocalDocumentStore(workspace);
  const artifacts = new LocalArtifactStore(workspace, 'bucket');
  const reading = await documents.read(ROUND_PATHS);
  const rounds = ROUND_PATHS.map((path) => {
    const data = reading.get(path)?.data as
      | { round?: number; steps?: { 'step:1'?: { round?: number } } }
      | undefined;
    return data?.round ?? data?.steps?.['step:1']?.round ?? 0;
  });
  expect(new Set(rounds).size, `rounds ${rounds}`).toBe(1);
  const object = await artifacts.get(OBJECT);
  const stored = Number(object?.metadata.round ?? 0);
  if (object) expect(Buffer.from(object.body).toString()).toBe(`body of round ${stored}`);

  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  for (const { parentPath, name } of files.filter(({ name }) => name.endsWith('.json'))) {
    JSON.parse(await readFile(join(parentPath, name), 'utf8'));
  }
  const staged = files.filter(({ parentPath }) => parentPath.includes('.staged'));
  expect(staged.map(({ name }) => name)).toEqual(['holder']);
  expect(await readFile(join(root, '.gitignore'), 'utf8')).toBe('*\n');
  await workspace.close();
  const left = (await readdir(root)).filter((name) => name !== 'firestore' && name !== 'gcs');
  expect(left).toEqual(['.gitignore']);
  return { committed: rounds[0] ?? 0, stored };
}

async function checkThatItWorks(root: string): Promise<void> {
  const workspace = await Workspace.open(root);
  const documents = new LocalDocumentStore(workspace);
  const artifacts = new LocalArtifactStore(workspace, 'bucket');
  expect((await documents.commit(roundWrites(3))).status).toBe('committed');
  const generation = (await artifacts.look(OBJECT))?.generation;
  const put = await artifacts.put({
    name: OBJECT,
    body: Buffer.from('body of round 3'),
    contentType: 'text/plain',
    metadata: { round: '3' },
    when: generation === undefined ? 'absent' : { generation },
  });
  expect(put.status).toBe('stored');
  await workspace.close();
  expect(await lookInto(root)).toEqual({ committed: 3, stored: 3 });
}

/** Tries a fault at every call, some at a time, and says at which call something was wrong. */
async function atEveryCall(
  task: Parameters<typeof tellCases>[0],
  folder: string,
  fault: Readonly<Record<string, string>>,
  step: number,
  judge: (rounds: Rounds, told: Told, signal: NodeJS.Signals | null) => void,
): Promise<number> {
  const unharmed = { ...fault, CRASH_AT: '0', FAIL_SPAN: 'once' };
  const calls = await runInto(join(folder, 'unharmed'), unharmed, (rounds) => {
    expect(rounds).toEqual({ committed: 2, stored: 2 });
  });
  const points = [...share(pointsUpTo(calls), step)];
  tellCases(task, { cases: points.length });
  const wrong: string[] = [];
  const runner = async () => {
    for (let n = points.shift(); n !== undefined; n = points.shift()) {
      try {
        await runInto(join(folder, String(n)), { ...fault, CRASH_AT: String(n) }, judge);
      } catch (error) {
        wrong.push(`at call ${n} of ${calls}: ${error instanceof Error ? error.message : error}`);
      }
    }
  };
  await Promise.all([runner(), runner(), runner()]);
  expect(wrong).toEqual([]);
  return calls;
}

/** What it was told is so; what it was not told is so or not, and nothing came out of turn. */
function inOrder({ committed, stored }: Rounds, told: Told): void {
  for (const round of [1, 2]) {
    if (told.get(`commit${round}`) === 'committed') expect(committed).toBeGreaterThanOrEqual(round);
    if (told.get(`put${round}`) === 'stored') expect(stored).toBeGreaterThanOrEqual(round);
  }
  expect([committed, committed - 1]).toContain(stored);
}

describe('a process killed', { timeout: 120_000 }, () => {
  // After one call is before the next: `after` would find the same disks again.
  test.for(['before', 'midway'])(
    '%s any of its calls leaves every commit whole or undone',
    async (when, { task, onTestFinished }) => {
      const folder = await temporaryFolder(onTestFinished);
      const calls = await atEveryCall(
        task,
        folder,
        { CRASH_WHEN: when },
        9,
        (rounds, told, signal) => {
          expect(signal).toBe('SIGKILL');
          inOrder(rounds, told);
        },
      );
      expect(calls).toBeGreaterThan(when === 'midway' ? 10 : 40);
    },
  );
});

describe('a disk that is full', { timeout: 120_000 }, () => {
  test('leaves no half of a name in a lock that is taken later', async ({ onTestFinished }) => {
    const folder = await temporaryFolder(onTestFinished);
    const fault = { FAIL_WITH: 'ENOSPC', FAIL_SPAN: 'once' };
    // The first turn at the lock is over by then.
    const texts = await Promise.all(
      pointsUpTo(8).map(async (n) => {
        const root = join(folder, String(n));
        const env = { ...fault, CRASH_AT: String(n), CRASH_UNDER: root };
        const { code, lines, stderr } = await new LocalWorker(['refused', root], env).ended;
        expect(code, stderr).toBe(0);
        return lines;
      }),
    );
    for (const [text = ''] of texts)
      expect(JSON.parse(text)).toMatchObject({ pid: expect.any(Number) });
  });

  test.for(['once', 'onwards'])(
    '%s, from any call, is told, and nothing is half written',
    async (span, { task, onTestFinished }) => {
      const folder = await temporaryFolder(onTestFinished);
      const fault = { FAIL_WITH: 'ENOSPC', FAIL_SPAN: span };
      const unclear = new Set<string>();
      // Often enough to meet both commits where they are unclear.
      const calls = await atEveryCall(task, folder, fault, 5, (rounds, told) => {
        inOrder(rounds, told);
        const answers = [...told];
        expect(answers.at(-1)?.[1]).toMatch(/^(StoreUnavailable|unclear)$/);
        for (const [what, answer] of answers) if (answer === 'unclear') unclear.add(what);
        // A commit that was refused for good stays undone.
        for (const round of [1, 2]) {
          if (told.get(`commit${round}`) === 'StoreUnavailable') {
            expect(rounds.committed).toBe(round - 1);
          }
        }
      });
      expect(calls).toBeGreaterThan(30);
      expect(unclear).toEqual(new Set(['commit1', 'commit2']));
    },
  );
});
