import { describe, expect, test } from 'vitest';
import type { DocumentStore, PageRequest } from '../../src/documents/document-store.js';
import { LocalDocumentStore } from '../../src/documents/local/local-document-store.js';
import { type SnapshotFilter, Snapshots } from '../../src/library/snapshots/snapshots.js';
import { Workspace } from '../../src/local-disk/workspace.js';
import { emptyFolder } from '../support/cli-run.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { GcpScene } from '../support/gcp-scene.js';
import { aHistory, seedWorkspace } from '../support/history-scene.js';
import { MemoryArtifactStore } from '../support/memory-artifact-store.js';

const LIMIT = 20;
const FILTERS: SnapshotFilter[] = [
  {},
  { symbol: 'DAX' },
  { symbol: 'DAX', timeframe: '4H', chartTemplateId: 'ctpl_a' },
  { timeframe: '1d', since: new Date(Date.now() - 40 * 86_400_000) },
];

function listing(documents: DocumentStore): (filter: SnapshotFilter) => Promise<number> {
  const snapshots = new Snapshots({ documents, artifacts: new MemoryArtifactStore('local') });
  return async (filter) => (await snapshots.list(filter, { limit: LIMIT })).snapshots.length;
}

describe('a page of the history costs the same, however long that is', () => {
  test('in a workspace: as many files as it shows, and one more', async ({ onTestFinished }) => {
    const root = await seedWorkspace(await emptyFolder(onTestFinished), aHistory(1_500));
    const workspace = Workspace.peek(root);
    let reads = 0;
    const counting = {
      pathTo: (...segments: string[]) => workspace.pathTo(...segments),
      transact: (body: Parameters<Workspace['transact']>[0]) =>
        workspace.transact((transaction) =>
          body({
            ...transaction,
            read: (file) => {
              reads += 1;
              return transaction.read(file);
            },
          }),
        ),
    } as Workspace;
    const list = listing(new LocalDocumentStore(counting));
    for (const filter of FILTERS) {
      reads = 0;
      expect([await list(filter), reads], JSON.stringify(filter)).toEqual([LIMIT, LIMIT + 1]);
    }
    // What nobody keeps is not looked for in any file.
    reads = 0;
    expect([await list({ symbol: 'SPX' }), reads]).toEqual([0, 0]);
  });

  test.skipIf(whyNoEmulator)(
    `in Firestore: one query, which gives as many documents and one more ${whyNoEmulator ?? ''}`,
    async ({ onTestFinished }) => {
      const { documents } = await GcpScene.open(onTestFinished);
      const history = aHistory(500);
      await documents.commit(
        history.map(({ id, ...data }) => ({ kind: 'put', path: `chart_snapshots/${id}`, data })),
      );
      const pages: (readonly [number, number])[] = [];
      const list = listing({
        read: (paths) => documents.read(paths),
        commit: (writes) => documents.commit(writes),
        list: async (collection: string, page: PageRequest) => {
          const found = await documents.list(collection, page);
          pages.push([page.limit, found.documents.length]);
          return found;
        },
      });
      for (const filter of FILTERS) {
        pages.length = 0;
        expect(await list(filter), JSON.stringify(filter)).toBe(LIMIT);
        expect(pages).toEqual([[LIMIT + 1, LIMIT + 1]]);
      }
    },
  );
});
