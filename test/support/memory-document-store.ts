import { isDeepStrictEqual } from 'node:util';
import type { JsonObject } from '../../src/contracts/documents.js';
import type {
  CommitResult,
  DocumentPath,
  DocumentStore,
  Page,
  PageRequest,
  Precondition,
  Reading,
  StoredDocument,
  Write,
} from '../../src/documents/document-store.js';
import { isAskedFor, written } from '../../src/documents/semantics.js';

/** What a commit did to one document; copies, for whoever is told. */
export interface Change {
  readonly path: DocumentPath;
  /** `undefined`: there was none. */
  readonly before: JsonObject | undefined;
  /** When it was written last, before this commit. */
  readonly beforeMs: number | undefined;
  /** `undefined`: there is none any more. */
  readonly after: JsonObject | undefined;
}

interface Kept {
  readonly json: string;
  readonly version: string;
  readonly updateTimeMs: number;
}

/**
 * Documents in memory, as Firestore keeps them: times are the server's, a write that changes
 * nothing moves neither version nor update time, a commit is applied whole or not at all. Whatever
 * happens, happens at once: who wants a late answer, or none, sees to that outside.
 */
export class MemoryDocumentStore implements DocumentStore {
  readonly #documents = new Map<DocumentPath, Kept>();
  readonly #nowMs: () => number;
  #writes = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  async read(paths: readonly DocumentPath[]): Promise<Reading> {
    return this.readNow(paths);
  }

  async commit(writes: readonly Write[]): Promise<CommitResult> {
    return this.commitNow(writes);
  }

  async list(collection: string, page: PageRequest): Promise<Page> {
    return this.listNow(collection, page);
  }

  readNow(paths: readonly DocumentPath[]): Reading {
    const kept = new Map(paths.map((path) => [path, this.#documents.get(path)]));
    const found = new Map<DocumentPath, StoredDocument | undefined>();
    return {
      readTimeMs: this.#nowMs(),
      get: (path) => {
        if (!found.has(path)) {
          const one = kept.get(path);
          found.set(path, one && stored(one));
        }
        return found.get(path);
      },
    };
  }

  /** `tell` hears what an applied commit changed. */
  commitNow(
    writes: readonly Write[],
    tell?: (changes: readonly Change[]) => void,
  ): Exclude<CommitResult, { status: 'unclear' }> {
    const pending = new Map<DocumentPath, JsonObject | undefined>();
    for (const write of writes) {
      const { path } = write;
      const kept = this.#documents.get(path);
      if (!holds(write.when, kept)) return { status: 'refused' };
      const before = pending.has(path) ? pending.get(path) : kept && parsed(kept);
      pending.set(path, written(before, write));
    }
    const changes: Change[] = [];
    const updateTimeMs = this.#nowMs();
    for (const [path, data] of pending) {
      const kept = this.#documents.get(path);
      const json = data && JSON.stringify(data);
      if (tell) {
        const before = kept && parsed(kept);
        const after = json === undefined ? undefined : JSON.parse(json);
        changes.push({ path, before, beforeMs: kept?.updateTimeMs, after });
      }
      if (json === undefined) {
        this.#documents.delete(path);
        continue;
      }
      if (kept && isSame(kept.json, json)) continue;
      this.#writes += 1;
      this.#documents.set(path, { json, version: `v${this.#writes}`, updateTimeMs });
    }
    tell?.(changes);
    const versions = [...pending.keys()].flatMap((path) => {
      const kept = this.#documents.get(path);
      return kept ? [[path, kept.version] as const] : [];
    });
    return { status: 'committed', versions: new Map(versions) };
  }

  listNow(collection: string, page: PageRequest): Page {
    const { limit, after = '', before } = page;
    const prefix = `${collection}/`;
    const ids = [...this.#documents.keys()]
      .filter((path) => path.startsWith(prefix) && !path.includes('/', prefix.length))
      .map((path) => path.slice(prefix.length))
      .filter((id) => id > after && (before === undefined || id < before))
      .sort();
    const documents = ids
      .map((id) => ({ id, ...stored(this.#documents.get(`${prefix}${id}`) as Kept) }))
      .filter(({ data }) => isAskedFor(page, data));
    const shown = documents.slice(0, limit);
    const last = shown.at(-1);
    return documents.length > limit && last
      ? { documents: shown, next: last.id }
      : { documents: shown };
  }

  dataOf(path: DocumentPath): JsonObject | undefined {
    const kept = this.#documents.get(path);
    return kept && parsed(kept);
  }
}

/** Parsed anew for each reader: what one does to its copy stays with it. */
function stored(kept: Kept): StoredDocument {
  return { data: parsed(kept), version: kept.version, updateTimeMs: kept.updateTimeMs };
}

function parsed({ json }: Kept): JsonObject {
  return JSON.parse(json);
}

/** Also with its keys in another order, which are no order in Firestore. */
function isSame(before: string, after: string): boolean {
  if (before === after) return true;
  return before.length === after.length && isDeepStrictEqual(JSON.parse(before), JSON.parse(after));
}

function holds(when: Precondition | undefined, kept: Kept | undefined): boolean {
  if (when === undefined) return true;
  return 'absent' in when ? kept === undefined : kept?.version === when.version;
}
