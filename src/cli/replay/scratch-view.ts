import type {
  CommitResult,
  DocumentPath,
  DocumentStore,
  Precondition,
  Reading,
  StoredDocument,
} from '../../documents/document-store.js';
import { paths } from '../../documents/paths.js';
import { written } from '../../documents/semantics.js';

/**
 * The store for a trial: the flow run and its leases live in memory from the first write on, and end
 * with the process; everything else, the quota ledger above all, is the real one. The lease of
 * whoever is at work on the step does not stand in a trial's way.
 */
export function scratchView(
  runId: string,
  { reads, commits }: { readonly reads: DocumentStore; readonly commits: DocumentStore },
): DocumentStore {
  const own = new Map<DocumentPath, StoredDocument | undefined>();
  let writes = 0;
  const isLease = (path: DocumentPath) => path.startsWith(`${paths.leases(runId)}/`);
  const isOwn = (path: DocumentPath) => path === paths.flowRun(runId) || isLease(path);
  /** As the trial sees it, given what the store has. */
  const seen = (path: DocumentPath, stored: StoredDocument | undefined) =>
    own.has(path) ? own.get(path) : isLease(path) ? undefined : stored;

  return {
    async read(wanted): Promise<Reading> {
      const reading = await reads.read(wanted);
      return {
        readTimeMs: reading.readTimeMs,
        get: (path) => (isOwn(path) ? seen(path, reading.get(path)) : reading.get(path)),
      };
    },
    async commit(all): Promise<CommitResult> {
      const mine = all.filter(({ path }) => isOwn(path));
      const reading = await reads.read(mine.map(({ path }) => path));
      const before = (path: DocumentPath) => seen(path, reading.get(path));
      if (!mine.every(({ path, when }) => holds(when, before(path)))) return { status: 'refused' };
      const others = all.filter(({ path }) => !isOwn(path));
      const result: CommitResult =
        others.length > 0
          ? await commits.commit(others)
          : { status: 'committed', versions: new Map() };
      if (result.status !== 'committed') return result;
      const versions = new Map(result.versions);
      for (const write of mine) {
        writes += 1;
        const version = `trial ${writes}`;
        const data = written(before(write.path)?.data, write);
        own.set(write.path, data && { data, version, updateTimeMs: reading.readTimeMs });
        if (data) versions.set(write.path, version);
      }
      return { status: 'committed', versions };
    },
    list: (collection, page) => reads.list(collection, page),
  };
}

function holds(when: Precondition | undefined, document: StoredDocument | undefined): boolean {
  if (when === undefined) return true;
  return 'absent' in when ? document === undefined : document?.version === when.version;
}
