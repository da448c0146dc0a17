import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError, StoreUnavailable } from '../../failures.js';
import type {
  CommitResult,
  DocumentPath,
  DocumentStore,
  Page,
  PageRequest,
  Reading,
  StoredDocument,
  Write,
} from '../document-store.js';
import {
  FirestoreClient,
  type FirestoreDocument,
  type FirestoreTarget,
  type FirestoreWrite,
} from './firestore-client.js';
import { type CallFailure, meaningOf } from './firestore-errors.js';
import {
  decodeFields,
  encodeFields,
  type FirestoreFields,
  maskPath,
  timestampMs,
} from './firestore-values.js';

/** How long a call may take, and a read be tried again; milliseconds. */
export interface FirestoreBounds {
  readonly callMs: number;
  readonly readMs: number;
}

/** A probe has 15 s in all, credentials and Storage among them. */
const BOUNDS: FirestoreBounds = { callMs: 4_000, readMs: 8_000 };

/** With less time a call fails for want of it, and that it "does not answer" hides the true reason. */
const LEAST_CALL_MS = 500;

/** Documents in Firestore; a version is the document's update time. */
export class FirestoreDocumentStore implements DocumentStore {
  readonly #target: FirestoreTarget;
  readonly #client: FirestoreClient;
  readonly #bounds: FirestoreBounds;

  constructor(target: FirestoreTarget, bounds: FirestoreBounds = BOUNDS) {
    this.#target = target;
    this.#client = new FirestoreClient(target);
    this.#bounds = bounds;
  }

  async read(paths: readonly DocumentPath[]): Promise<Reading> {
    const wanted = [...new Set(paths)];
    const { documents, readTime } = await this.#untilAnswered((timeoutMs) =>
      this.#client.batchGet(wanted, timeoutMs),
    );
    const prefix = this.#client.nameOf('');
    const found = new Map(
      documents.map((document) => [document.name.slice(prefix.length), stored(document)]),
    );
    return { readTimeMs: timestampMs(readTime), get: (path) => found.get(path) };
  }

  /** Sent once: what a second try would be told of the first one's work is anybody's guess. */
  async commit(writes: readonly Write[]): Promise<CommitResult> {
    const sent = writes.map((write) => this.#writeOf(write));
    try {
      const times = await this.#client.commit(sent, this.#bounds.callMs);
      const versions = new Map<DocumentPath, string>();
      for (const [index, { kind, path }] of writes.entries()) {
        if (kind === 'delete') versions.delete(path);
        else versions.set(path, times[index] as string);
      }
      return { status: 'committed', versions };
    } catch (error) {
      const failure = meaningOf(error, this.#target);
      switch (failure.kind) {
        case 'refused':
          return { status: 'refused' };
        case 'unclear':
          return { status: 'unclear', cause: new StoreUnavailable(failure.message) };
        default:
          throw toError(failure);
      }
    }
  }

  async list(collection: string, page: PageRequest): Promise<Page> {
    const found = await this.#untilAnswered((timeoutMs) =>
      this.#client.query(collection, page, timeoutMs),
    );
    const documents = found.map(listed);
    const last = documents.at(-1);
    return documents.length === page.limit && last ? { documents, next: last.id } : { documents };
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  /** A read that got no answer is safe to send again, while there is time. */
  async #untilAnswered<T>(call: (timeoutMs: number) => Promise<T>): Promise<T> {
    const { callMs, readMs } = this.#bounds;
    const until = performance.now() + readMs;
    for (let round = 0; ; round++) {
      try {
        return await call(Math.min(callMs, Math.max(1, until - performance.now())));
      } catch (error) {
        const failure = meaningOf(error, this.#target);
        const pauseMs = Math.random() * 100 * 2 ** round;
        const leftMs = until - performance.now() - pauseMs;
        if (failure.kind !== 'unclear' || leftMs < LEAST_CALL_MS) {
          throw toError(failure);
        }
        await sleep(pauseMs);
      }
    }
  }

  #writeOf(write: Write): FirestoreWrite {
    const name = this.#client.nameOf(write.path);
    const guard = write.when && { currentDocument: preconditionOf(write.when) };
    if (write.kind === 'delete') return { delete: name, ...guard };
    if (write.kind === 'put') {
      return { update: { name, fields: encodeFields(write.data) }, ...guard };
    }
    return {
      update: { name, fields: nested(write.fields) },
      updateMask: { fieldPaths: write.fields.map(([path]) => maskPath(path)) },
      ...guard,
    };
  }
}

/** The values of a patch as the document would hold them; what is removed is in the mask alone. */
function nested(fields: Extract<Write, { kind: 'patch' }>['fields']): FirestoreFields {
  const data: Record<string, unknown> = {};
  for (const [path, value] of fields) {
    if (value === undefined) continue;
    let at = data;
    for (const segment of path.slice(0, -1)) {
      at[segment] ??= {};
      at = at[segment] as Record<string, unknown>;
    }
    at[path.at(-1) as string] = value;
  }
  return encodeFields(data);
}

function stored({ fields, updateTime }: FirestoreDocument): StoredDocument {
  return {
    data: decodeFields(fields),
    version: updateTime,
    updateTimeMs: timestampMs(updateTime),
  };
}

function listed(document: FirestoreDocument): Page['documents'][number] {
  return { ...stored(document), id: document.name.slice(document.name.lastIndexOf('/') + 1) };
}

function preconditionOf(when: NonNullable<Write['when']>): FirestoreWrite['currentDocument'] {
  return 'absent' in when ? { exists: false } : { updateTime: when.version };
}

function toError(failure: CallFailure): Error {
  switch (failure.kind) {
    case 'misconfigured':
      return new ConfigError(failure.message);
    case 'refused':
      return new StoreUnavailable('Firestore refused to read');
    default:
      return new StoreUnavailable(failure.message);
  }
}
