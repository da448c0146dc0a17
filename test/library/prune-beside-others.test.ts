import { expect, test } from 'vitest';
import type { CommitResult, DocumentStore, Write } from '../../src/documents/document-store.js';
import { paths } from '../../src/documents/paths.js';
import type { Snapshot } from '../../src/library/snapshots/snapshot.js';
import { snapshotWrite } from '../../src/library/snapshots/snapshot.js';
import { Snapshots } from '../../src/library/snapshots/snapshots.js';
import { aHistory, isExpired, objectOf } from '../support/history-scene.js';
import { MemoryArtifactStore } from '../support/memory-artifact-store.js';
import { MemoryDocumentStore } from '../support/memory-document-store.js';

const NOTHING = { purge: false, dryRun: false, force: false };
const never = new AbortController().signal;

/** A history in memory, and prunes of it that `before` comes in between of, commit by commit. */
async function scene(count: number) {
  const history = aHistory(count);
  const documents = new MemoryDocumentStore(Date.now);
  const artifacts = new MemoryArtifactStore('local');
  await documents.commit(history.map(snapshotWrite));
  for (const snapshot of history) {
    artifacts.putNow({
      name: objectOf(snapshot),
      body: Buffer.from(snapshot.id),
      contentType: 'image/png',
      metadata: {},
      when: 'absent',
    });
  }
  return {
    dead: history.filter(isExpired),
    documents,
    artifacts,
    snapshots: new Snapshots({ documents, artifacts }),
    through: (commit: (writes: readonly Write[], nth: number) => Promise<CommitResult>) => {
      let nth = 0;
      const store: DocumentStore = {
        read: (paths) => documents.read(paths),
        list: (collection, page) => documents.list(collection, page),
        commit: (writes) => {
          nth += 1;
          return commit(writes, nth);
        },
      };
      return new Snapshots({ documents: store, artifacts });
    },
    states: (of: readonly Snapshot[]) =>
      of.map(({ id }) => documents.dataOf(paths.chartSnapshot(id))?.state),
  };
}

test('who removes a chart that is being pruned does not find its stump', async () => {
  const { dead, documents, snapshots, through, states } = await scene(12);
  const [removed, ...others] = dead as [Snapshot, ...Snapshot[]];
  const report = await through(async (writes, nth) => {
    if (nth === 1) expect(await snapshots.remove(removed.id)).toBe('removed');
    return documents.commit(writes);
  }).prune(NOTHING, never);
  expect(report.expired).toBe(dead.length);
  expect(states([removed])).toEqual([undefined]);
  expect(states(others)).toEqual(others.map(() => 'expired'));
});

test('a reply that is lost, before or after the commit was applied, is looked into', async () => {
  for (const isApplied of [true, false]) {
    const { dead, documents, through, states } = await scene(12);
    await through(async (writes, nth) => {
      if (nth > 1) return documents.commit(writes);
      if (isApplied) await documents.commit(writes);
      return { status: 'unclear', cause: new Error('no answer') };
    }).prune(NOTHING, never);
    expect(states(dead)).toEqual(dead.map(() => 'expired'));
  }
});

test('several prunes at once come to the same end', async () => {
  const { dead, artifacts, snapshots, states } = await scene(60);
  const reports = await Promise.all([1, 2, 3].map(() => snapshots.prune(NOTHING, never)));
  expect(states(dead)).toEqual(dead.map(() => 'expired'));
  expect(dead.map((snapshot) => artifacts.lookNow(objectOf(snapshot)))).toEqual(
    dead.map(() => undefined),
  );
  for (const { kept, elsewhere, invalid } of reports) {
    expect([kept, elsewhere, invalid]).toEqual([0, 0, 0]);
  }
});

test('one that is asked to stop does so between two pages, and says so', async () => {
  const { documents, through } = await scene(450);
  const stop = new AbortController();
  const stopped = through(async (writes) => {
    stop.abort(new Error('stop'));
    return documents.commit(writes);
  }).prune(NOTHING, stop.signal);
  await expect(stopped).rejects.toThrow('stop');
  const left = await documents.list('chart_snapshots', {
    limit: 1_000,
    equal: { state: 'stored' },
  });
  expect(left.documents.length).toBeLessThan(450);
  expect(left.documents.length).toBeGreaterThan(225);
});
