import type { ArtifactStore } from '../../artifacts/artifact-store.js';
import { isJsonObject } from '../../contracts/documents.js';
import type { DocumentStore, Write } from '../../documents/document-store.js';
import { collections, paths } from '../../documents/paths.js';
import { parseLease, standingOf } from '../../engine/lease-document.js';
import { StoreUnavailable } from '../../failures.js';
import { recordIn } from '../library-picture.js';
import { type Listed, pagesOf } from './pages.js';
import { type Snapshot, snapshotWrite } from './snapshot.js';

interface Stores {
  readonly documents: DocumentStore;
  readonly artifacts: ArtifactStore;
}

/** By then nobody waits for what became of it, and what its holder left is recorded. */
const LEASE_KEPT_MS = 86_400_000;

/**
 * Records what a renderer on demand had stored when it was killed, or got no answer, and nobody has
 * asked for since: only the lease on its key tells where to look.
 */
export async function recordLeftovers(
  { documents, artifacts }: Stores,
  readTimeMs: number,
  signal: AbortSignal,
): Promise<void> {
  for await (const page of pagesOf(documents, collections.chartLeases, signal)) {
    for (const document of page) {
      const lease = parseLease(document);
      const standing = standingOf(document, readTimeMs, () => false);
      if (lease?.folder === undefined || standing === 'live' || standing === 'none') continue;
      const objects = await artifacts.list(lease.folder);
      const left = objects.filter(({ metadata }) => metadata.claimId === lease.claimId);
      for (const object of left) {
        const snapshot = recordIn(artifacts, object);
        if (snapshot) await record(snapshot, documents);
      }
    }
  }
}

/** Where it is not recorded already. */
async function record(snapshot: Snapshot, documents: DocumentStore): Promise<void> {
  const write: Write = { ...snapshotWrite(snapshot), when: { absent: true } };
  const { status } = await documents.commit([write]);
  // Not passed over: its lease, which alone tells of it, may be deleted in a moment.
  if (status === 'unclear') {
    throw new StoreUnavailable(`no answer to the record of ${snapshot.uri}: run it again`);
  }
}

/** Deletes the cache's entries for pictures that expired, and leases that nobody needs any more. */
export async function forgetOld(
  documents: DocumentStore,
  readTimeMs: number,
  signal: AbortSignal,
): Promise<void> {
  for await (const page of pagesOf(documents, collections.chartCache, signal)) {
    const old = page.filter(({ data: { snapshot } }) => {
      const expiresAt = isJsonObject(snapshot) ? String(snapshot.expiresAt) : '';
      return Date.parse(expiresAt) <= readTimeMs;
    });
    await deleteUnmoved(old, paths.chartCache, documents);
  }
  for await (const page of pagesOf(documents, collections.chartLeases, signal)) {
    const old = page.filter((document) => {
      const isOver = standingOf(document, readTimeMs, () => false) !== 'live';
      const isOld = readTimeMs - document.updateTimeMs > LEASE_KEPT_MS;
      return parseLease(document) !== undefined && isOver && isOld;
    });
    await deleteUnmoved(old, paths.chartLease, documents);
  }
}

/** What somebody wrote since it was read stays; the next run looks again. */
async function deleteUnmoved(
  old: readonly Listed[],
  pathOf: (id: string) => string,
  documents: DocumentStore,
): Promise<void> {
  const writes = old.map(
    ({ id, version }): Write => ({ kind: 'delete', path: pathOf(id), when: { version } }),
  );
  if (writes.length === 0 || (await documents.commit(writes)).status === 'committed') return;
  for (const write of writes) await documents.commit([write]);
}
