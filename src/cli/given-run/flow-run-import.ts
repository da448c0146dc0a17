import { createHash } from 'node:crypto';
import { sleep } from '../../clock.js';
import type { JsonObject } from '../../contracts/documents.js';
import type { DocumentStore, Reading, StoredDocument } from '../../documents/document-store.js';
import { paths } from '../../documents/paths.js';
import { type LeaseOwner, standingOf } from '../../engine/lease-document.js';
import { StoreUnavailable } from '../../failures.js';

/**
 * - `imported`: the workspace has the file's run now;
 * - `kept`: it had it already, and its document goes on, exactly as in the cloud;
 * - `leased`: the file's content differs, but a step of the run is being worked on.
 */
export type ImportResult = 'imported' | 'kept' | 'leased';

const IMPORT_TRIES = 20;
const LEASES_PER_PAGE = 200;

/**
 * Brings a flow run file into the local store: when the store has no such run, or when the file's
 * content is another than the one last imported and no step of the run is leased live. The commit
 * is guarded by the run's version, so a claim that comes in between is never overwritten.
 */
export async function importFlowRun(
  documents: DocumentStore,
  run: { readonly runId: string; readonly data: JsonObject },
  ownerIsGone: (owner: LeaseOwner) => boolean,
): Promise<ImportResult> {
  const { runId, data } = run;
  for (let round = 0; round < IMPORT_TRIES; round++) {
    const look = await lookBeforeImport(documents, run, ownerIsGone);
    if (look.result !== 'imported') return look.result;
    const { reading, stored, last, contentHash } = look;
    const result = await documents.commit([
      { kind: 'put', path: paths.flowRun(runId), data, when: asRead(stored) },
      {
        kind: 'put',
        path: paths.flowRunImport(runId),
        data: { contentHash, importedAt: new Date(reading.readTimeMs).toISOString() },
        when: asRead(last),
      },
    ]);
    if (result.status === 'committed') return 'imported';
    await sleep(Math.random() * 20);
  }
  throw new StoreUnavailable(`run ${runId} is written so often that it could not be imported`);
}

interface ImportLook {
  /** What an import would come to. */
  readonly result: ImportResult;
  readonly reading: Reading;
  readonly stored: StoredDocument | undefined;
  readonly last: StoredDocument | undefined;
  readonly contentHash: string;
}

/** Whether the file's run would be imported, and what that is judged by; writes nothing. */
export async function lookBeforeImport(
  documents: DocumentStore,
  { runId, data }: { readonly runId: string; readonly data: JsonObject },
  ownerIsGone: (owner: LeaseOwner) => boolean,
): Promise<ImportLook> {
  const contentHash = createHash('sha256').update(JSON.stringify(data)).digest('hex');
  const reading = await documents.read([paths.flowRun(runId), paths.flowRunImport(runId)]);
  const stored = reading.get(paths.flowRun(runId));
  const last = reading.get(paths.flowRunImport(runId));
  const look = (result: ImportResult) => ({ result, reading, stored, last, contentHash });
  if (stored && last?.data.contentHash === contentHash) return look('kept');
  const isLeased =
    stored && (await hasLiveLease(documents, runId, reading.readTimeMs, ownerIsGone));
  return look(isLeased ? 'leased' : 'imported');
}

async function hasLiveLease(
  documents: DocumentStore,
  runId: string,
  readTimeMs: number,
  ownerIsGone: (owner: LeaseOwner) => boolean,
): Promise<boolean> {
  let after: string | undefined;
  do {
    const page = await documents.list(paths.leases(runId), {
      limit: LEASES_PER_PAGE,
      ...(after !== undefined && { after }),
    });
    const isLive = (lease: StoredDocument) => standingOf(lease, readTimeMs, ownerIsGone) === 'live';
    if (page.documents.some(isLive)) return true;
    after = page.next;
  } while (after !== undefined);
  return false;
}

function asRead(document: StoredDocument | undefined) {
  return document ? { version: document.version } : ({ absent: true } as const);
}
