import type { ArtifactStore } from '../../artifacts/artifact-store.js';
import type { DocumentPath, DocumentStore, Write } from '../../documents/document-store.js';
import { collections, paths } from '../../documents/paths.js';
import { StoreUnavailable } from '../../failures.js';
import { forgetOld, recordLeftovers } from './leftovers.js';
import { type Listed, pagesOf } from './pages.js';
import type { Pictures } from './pictures.js';
import { parseSnapshot, type Snapshot } from './snapshot.js';

export interface PruneOptions {
  /** Also deletes the documents of those whose pictures are gone. */
  readonly purge: boolean;
  /** Counts, and writes nothing. */
  readonly dryRun: boolean;
  /** Also deletes what a manifest still names. */
  readonly force: boolean;
}

/** What one run did, or would do. */
export interface PruneReport {
  /** Pictures that were deleted, and their documents marked. */
  readonly expired: number;
  /** Of these, together. */
  readonly bytes: number;
  /** Expired, and kept: a manifest still names them. */
  readonly kept: number;
  /** Expired, in another bucket. */
  readonly elsewhere: number;
  /** Documents that were deleted. */
  readonly purged: number;
  /** Documents that are no snapshots, and are left alone. */
  readonly invalid: number;
}

interface Place {
  readonly documents: DocumentStore;
  readonly artifacts: ArtifactStore;
  readonly pictures: Pictures;
}

/** Pictures that are deleted at the same time. */
const ABREAST = 8;
/** How often others may write a document before we give up on it. */
const TRIES = 5;

type Expired = { readonly document: Listed; readonly snapshot: Snapshot };

/**
 * Deletes the pictures that expired by the store's clock, page by page, each before its document is
 * marked. To be killed at any moment harms nothing: the next run finds what is unfinished as a
 * document that is not marked yet. Safe beside itself.
 */
export async function prune(
  place: Place,
  options: PruneOptions,
  signal: AbortSignal,
): Promise<PruneReport> {
  const report = { expired: 0, bytes: 0, kept: 0, elsewhere: 0, purged: 0, invalid: 0 };
  // A listing does not tell the store's time; a reading does, also of what is not there.
  const { readTimeMs } = await place.documents.read([paths.chartSnapshot('clock')]);
  if (!options.dryRun) {
    await recordLeftovers(place, readTimeMs, signal);
    await forgetOld(place.documents, readTimeMs, signal);
  }
  const snapshots = [place.documents, collections.chartSnapshots, signal] as const;
  for await (const page of pagesOf(...snapshots, { state: 'stored' })) {
    const due: Expired[] = [];
    for (const document of page) {
      const snapshot = parseSnapshot(document.id, document.data);
      if (!snapshot) report.invalid += 1;
      else if (Date.parse(snapshot.expiresAt) <= readTimeMs) due.push({ document, snapshot });
    }
    const here = due.filter(({ snapshot }) => place.pictures.isHere(snapshot));
    report.elsewhere += due.length - here.length;
    const doomed = options.force ? here : await unnamed(here, place.pictures);
    report.kept += here.length - doomed.length;
    if (!options.dryRun) await expire(doomed, place);
    report.expired += doomed.length;
    for (const { snapshot } of doomed) report.bytes += snapshot.bytes;
  }
  if (!options.purge) return report;
  // What would be marked would then be deleted.
  if (options.dryRun) report.purged += report.expired;
  for await (const page of pagesOf(...snapshots, { state: 'expired' })) {
    const writes = page.map(({ id }): Write => ({ kind: 'delete', path: paths.chartSnapshot(id) }));
    if (!options.dryRun) await deleteAll(writes, place.documents);
    report.purged += page.length;
  }
  return report;
}

async function unnamed(due: readonly Expired[], pictures: Pictures): Promise<Expired[]> {
  const manifests = new Map<string, Promise<string>>();
  const doomed: Expired[] = [];
  await abreast(due, async (one) => {
    if (!(await pictures.isNamed(one.snapshot, manifests))) doomed.push(one);
  });
  return doomed;
}

async function expire(doomed: readonly Expired[], { documents, pictures }: Place): Promise<void> {
  if (doomed.length === 0) return;
  await abreast(doomed, ({ snapshot }) => pictures.delete(snapshot));
  // Under the versions that were read: who removed one meanwhile must not find its stump.
  const writes = doomed.map(({ document }) => marking(paths.chartSnapshot(document.id), document));
  if ((await documents.commit(writes)).status === 'committed') return;
  for (const { document } of doomed) await mark(paths.chartSnapshot(document.id), documents);
}

/** One at a time, where others are at work on the same documents. */
async function mark(path: DocumentPath, documents: DocumentStore): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) {
    const stored = (await documents.read([path])).get(path);
    if (stored?.data.state !== 'stored') return;
    const { status } = await documents.commit([marking(path, stored)]);
    if (status === 'committed') return;
  }
  throw new StoreUnavailable(`${path} could not be marked as expired: run it again, it goes on`);
}

function marking(path: DocumentPath, { version }: Pick<Listed, 'version'>): Write {
  return { kind: 'patch', path, fields: [[['state'], 'expired']], when: { version } };
}

async function deleteAll(writes: readonly Write[], documents: DocumentStore): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) {
    if ((await documents.commit(writes)).status === 'committed') return;
  }
  throw new StoreUnavailable('no answer to the removal of documents: run it again, it goes on');
}

/** Every one, some at a time; none is begun any more once one failed. */
async function abreast<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const queue = [...all].reverse();
  const worker = async () => {
    for (let one = queue.pop(); one !== undefined; one = queue.pop()) {
      await work(one).catch((error: unknown) => {
        queue.length = 0;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: ABREAST }, worker));
}
