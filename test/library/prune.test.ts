import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { GcsArtifactStore } from '../../src/artifacts/gcs/gcs-artifact-store.js';
import type { JsonObject } from '../../src/contracts/documents.js';
import type { DocumentStore } from '../../src/documents/document-store.js';
import { LocalDocumentStore } from '../../src/documents/local/local-document-store.js';
import { parseSnapshot, type Snapshot } from '../../src/library/snapshots/snapshot.js';
import { Workspace } from '../../src/local-disk/workspace.js';
import { CliProcess, type Ended, emptyFolder } from '../support/cli-run.js';
import { CliWorkspace } from '../support/cli-workspace.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { BUCKET, GcpScene } from '../support/gcp-scene.js';
import { aHistory, isExpired, objectOf, seedWorkspace } from '../support/history-scene.js';
import { ALL_CASES, MEASURES } from '../support/share.js';

const CRASH_AT = new URL('../support/local-crash-at.mjs', import.meta.url).href;
const REPORT_MEMORY = new URL('../support/report-memory.mjs', import.meta.url).href;
const PRUNE = ['charts', 'prune', '--json', '--quiet'];

/** Everything that stands in the library: what documents say, and what objects there are. */
interface Standing {
  readonly objects: readonly string[];
  readonly stored: readonly string[];
  readonly expired: readonly string[];
}

async function standing(documents: DocumentStore, objects: readonly string[]): Promise<Standing> {
  const found = { stored: [] as string[], expired: [] as string[] };
  let after: string | undefined;
  do {
    const page = await documents.list('chart_snapshots', {
      limit: 500,
      ...(after !== undefined && { after }),
    });
    for (const { id, data } of page.documents) {
      const snapshot = parseSnapshot(id, data);
      if (!snapshot) throw new Error(`${id} is no snapshot: ${JSON.stringify(data)}`);
      found[snapshot.state].push(objectOf(snapshot));
    }
    after = page.next;
  } while (after !== undefined);
  return {
    objects: [...objects].sort(),
    stored: found.stored.sort(),
    expired: found.expired.sort(),
  };
}

/** What is left once a prune came to its end. */
function whole(history: readonly Snapshot[], isPurged: boolean): Standing {
  const live = history.filter((snapshot) => !isExpired(snapshot)).map(objectOf);
  const dead = history.filter(isExpired).map(objectOf);
  return { objects: live.sort(), stored: [...live].sort(), expired: isPurged ? [] : dead.sort() };
}

/** Nothing is worse than unfinished: no live chart suffers, no picture is without a document. */
function expectSafe(now: Standing, history: readonly Snapshot[]): void {
  const named = new Set([...now.stored]);
  expect(now.objects.filter((name) => !named.has(name))).toEqual([]);
  const there = new Set(now.objects);
  const live = history.filter((snapshot) => !isExpired(snapshot)).map(objectOf);
  expect(live.filter((name) => !there.has(name) || !named.has(name))).toEqual([]);
  expect(now.stored.length + now.expired.length).toBe(history.length);
}

function reportOf({ exitCode, stdout, stderr }: Ended): JsonObject {
  expect(exitCode, stderr).toBe(0);
  return JSON.parse(stdout);
}

/** Ten thousand pictures are deleted one by one, by five processes, on a machine that does other things. */
const TIMEOUT_MS = ALL_CASES ? 1_200_000 : 120_000;

describe('prune, killed twice in the middle', { timeout: TIMEOUT_MS }, () => {
  const count = ALL_CASES ? 10_000 : 60;

  test(`of ${count} charts of a workspace: the third run ends it`, async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const history = aHistory(count);
    const root = await seedWorkspace(cwd, history);
    const looking = () => {
      const documents = new LocalDocumentStore(Workspace.peek(root));
      return new CliWorkspace(cwd).objects().then((names) =>
        standing(
          documents,
          names.map((name) => name.slice('local/'.length)),
        ),
      );
    };
    expect((await looking()).objects).toHaveLength(count);
    const killed = async (under: string, at: number) => {
      const env = { CRASH_UNDER: join(root, under), CRASH_AT: String(at) };
      const { signal } = await new CliProcess(PRUNE, { cwd, env, preload: [CRASH_AT] }).ended;
      expect(signal).toBe('SIGKILL');
      const now = await looking();
      expectSafe(now, history);
      return now;
    };
    // Between a picture and what stands beside it, and then in the commit that marks a page.
    const first = await killed('gcs', Math.ceil(count / 4) + 1);
    expect(first.objects.length).toBeLessThan(count);
    expect(first.objects.length).toBeGreaterThan(count / 2);
    const second = await killed('firestore', ALL_CASES ? 25 * 100 + 38 : 13);
    expect(second.expired.length).toBeGreaterThan(first.expired.length);
    expect(second.expired.length).toBeLessThan(count / 2);
    // Another process ends a journal that it finds, and counts what it found unmarked.
    const report = reportOf(await new CliProcess(PRUNE, { cwd }).ended);
    expect(report).toMatchObject({ kept: 0, elsewhere: 0, invalid: 0 });
    expect(await looking()).toEqual(whole(history, false));
    const purge = reportOf(await new CliProcess([...PRUNE, '--purge'], { cwd }).ended);
    expect(purge).toMatchObject({ expired: 0, purged: count / 2 });
    expect(await looking()).toEqual(whole(history, true));
    expect(await readdir(join(root, 'gcs/local/library/DAX/1h'))).not.toContain('.part');
  });

  const inCloud = ALL_CASES ? 1_000 : 60;

  test.skipIf(whyNoEmulator)(
    `of ${inCloud} charts in the cloud: the third run ends it ${whyNoEmulator ?? ''}`,
    async ({ onTestFinished }) => {
      const scene = await GcpScene.open(onTestFinished);
      const { cwd, env, storage, documents } = scene;
      const history = aHistory(inCloud, BUCKET);
      const artifacts = new GcsArtifactStore({ bucket: BUCKET, emulator: storage.url });
      for (let at = 0; at < history.length; at += 20) {
        const some = history.slice(at, at + 20);
        await documents.commit(
          some.map(({ id, ...data }) => ({ kind: 'put', path: `chart_snapshots/${id}`, data })),
        );
        await Promise.all(
          some.map((snapshot) =>
            artifacts.put({
              name: objectOf(snapshot),
              body: Buffer.from(snapshot.id),
              contentType: 'image/png',
              metadata: {},
              when: 'absent',
            }),
          ),
        );
      }
      const looking = () =>
        standing(
          documents,
          storage.objects(BUCKET).map(({ name }) => name),
        );
      const argv = [...PRUNE, '--backend', 'gcp', '--charts-bucket', BUCKET];
      for (const nth of [inCloud / 6, inCloud / 4]) {
        const child = new CliProcess(argv, { cwd, env });
        storage.faults.clear();
        const hook = () => child.kill('SIGKILL');
        storage.faults.add({ kind: 'delete', nth, fault: { act: 'hook', when: 'after', hook } });
        expect((await child.ended).signal).toBe('SIGKILL');
        const now = await looking();
        expect(now.objects.length).toBeLessThan(inCloud);
        expectSafe(now, history);
      }
      storage.faults.clear();
      reportOf(await new CliProcess(argv, { cwd, env }).ended);
      expect(await looking()).toEqual(whole(history, false));
      reportOf(await new CliProcess([...argv, '--purge'], { cwd, env }).ended);
      expect(await looking()).toEqual(whole(history, true));
      expect(storage.violations).toEqual([]);
    },
  );
});

test.runIf(ALL_CASES)(
  `prune of 10,000 charts needs hardly more memory than of 1,000${MEASURES}`,
  { timeout: TIMEOUT_MS },
  async ({ onTestFinished }) => {
    const peakOf = async (count: number) => {
      const cwd = await emptyFolder(onTestFinished);
      await seedWorkspace(cwd, aHistory(count));
      const file = join(cwd, 'peak');
      const options = { cwd, env: { PEAK_MEMORY_FILE: file }, preload: [REPORT_MEMORY] };
      const report = reportOf(await new CliProcess(PRUNE, options).ended);
      expect(report.expired).toBe(count / 2);
      return Number(await readFile(file, 'utf8'));
    };
    const [few, many] = [await peakOf(1_000), await peakOf(10_000)];
    expect(many / few, `${many} kB against ${few} kB`).toBeLessThan(1.5);
  },
);
