import { createHash } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../../contracts/documents.js';
import { ConfigError } from '../../failures.js';
import { decodeFileName, encodeFileName } from '../../local-disk/file-names.js';
import {
  type FileState,
  type Transaction,
  UnfinishedCommit,
  type Workspace,
} from '../../local-disk/workspace.js';
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
} from '../document-store.js';
import { isAskedFor, written } from '../semantics.js';

/** Documents as bare JSON files under `<workspace>/firestore`; a version is the hash of the bytes. */
export class LocalDocumentStore implements DocumentStore {
  readonly #workspace: Workspace;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  read(paths: readonly DocumentPath[]): Promise<Reading> {
    return this.#workspace.transact((transaction) => {
      const found = new Map<DocumentPath, StoredDocument>();
      for (const path of new Set(paths)) {
        const document = this.#readOne(transaction, path);
        if (document) found.set(path, document);
      }
      return { readTimeMs: transaction.nowMs, get: (path) => found.get(path) };
    });
  }

  async commit(writes: readonly Write[]): Promise<CommitResult> {
    try {
      return await this.#workspace.transact((transaction) => {
        const versions = new Map<DocumentPath, string>();
        const pending = new Map<DocumentPath, JsonObject | undefined>();
        for (const write of writes) {
          const { path } = write;
          const current = this.#readOne(transaction, path);
          if (!holds(write.when, current)) return { status: 'refused' };
          pending.set(path, written(pending.has(path) ? pending.get(path) : current?.data, write));
        }
        for (const [path, data] of pending) {
          if (data === undefined) {
            transaction.remove(this.fileOf(path));
            continue;
          }
          const content = `${JSON.stringify(data, null, 2)}\n`;
          transaction.write(this.fileOf(path), content);
          versions.set(path, versionOf(content));
        }
        return { status: 'committed', versions };
      });
    } catch (error) {
      if (error instanceof UnfinishedCommit) return { status: 'unclear', cause: error };
      throw error;
    }
  }

  /** Of one window: where few are asked for, to look on for more would keep the others waiting. */
  list(collection: string, page: PageRequest): Promise<Page> {
    return this.#workspace.transact((transaction) => {
      const documents = [];
      const { ids, isEnd } = this.#idsAfter(collection, page, transaction);
      for (const [index, id] of ids.entries()) {
        const document = this.#readOne(transaction, `${collection}/${id}`);
        if (document && isAskedFor(page, document.data)) documents.push({ ...document, id });
        const isLast = isEnd && index === ids.length - 1;
        if (documents.length === page.limit && !isLast) return { documents, next: id };
      }
      const last = ids.at(-1);
      return isEnd || last === undefined ? { documents } : { documents, next: last };
    });
  }

  /** The next ids, not more than are soon looked at: a folder's whole listing may be long. */
  #idsAfter(
    collection: string,
    { limit, after = '', before, mayBe }: PageRequest,
    transaction: Transaction,
  ): Window {
    const folder = this.#workspace.pathTo('firestore', ...segmentsOf(collection));
    const most = Math.max(limit, LEAST_WINDOW);
    const ids: string[] = [];
    let isEnd = true;
    const keepFirst = () => {
      ids.sort(byCodeUnit);
      if (ids.length <= most) return;
      ids.length = most;
      isEnd = false;
    };
    for (const name of transaction.names(folder)) {
      const id = name.endsWith('.json') ? decodeFileName(name.slice(0, -5)) : undefined;
      if (id === undefined || id <= after || (before !== undefined && id >= before)) continue;
      if (!mayBe || mayBe(id)) ids.push(id);
      if (ids.length === 2 * most) keepFirst();
    }
    keepFirst();
    return { ids, isEnd };
  }

  /** Where a document lies on the disk. */
  fileOf(path: DocumentPath): string {
    return `${this.#workspace.pathTo('firestore', ...segmentsOf(path))}.json`;
  }

  #readOne(transaction: Transaction, path: DocumentPath): StoredDocument | undefined {
    const file = this.fileOf(path);
    const state = transaction.read(file);
    return state && parse(file, state);
  }
}

/** Some of a collection's ids, ascending. */
interface Window {
  readonly ids: readonly string[];
  readonly isEnd: boolean;
}

const LEAST_WINDOW = 200;

function parse(file: string, { bytes, mtimeMs }: FileState): StoredDocument {
  let data: unknown;
  try {
    data = JSON.parse(bytes.toString('utf8'));
  } catch {
    data = undefined;
  }
  if (!isJsonObject(data)) {
    throw new ConfigError(`${file} does not hold a JSON object; mend or delete it`);
  }
  return { data, version: versionOf(bytes), updateTimeMs: mtimeMs };
}

function versionOf(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}

function holds(when: Precondition | undefined, current: StoredDocument | undefined): boolean {
  if (when === undefined) return true;
  return 'absent' in when ? current === undefined : current?.version === when.version;
}

function segmentsOf(path: string): string[] {
  return path.split('/').map(encodeFileName);
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
