import { createHash } from 'node:crypto';
import { join } from 'node:path';
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
import { patched } from '../patched.js';

/** Documents as bare JSON files under `<workspace>/firestore`; a version is the hash of the bytes. */
export class LocalDocumentStore implements DocumentStore {
  readonly #workspace: Workspace;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  read(paths: readonly DocumentPath[]): Promise<Reading> {
    return this.#workspace.transact(async (transaction) => {
      const found = new Map<DocumentPath, StoredDocument>();
      for (const path of new Set(paths)) {
        const document = await this.#readOne(transaction, path);
        if (document) found.set(path, document);
      }
      return { readTimeMs: transaction.nowMs, get: (path) => found.get(path) };
    });
  }

  async commit(writes: readonly Write[]): Promise<CommitResult> {
    try {
      return await this.#workspace.transact(async (transaction) => {
        const versions = new Map<DocumentPath, string>();
        const contents = new Map<DocumentPath, string>();
        const pending = new Map<DocumentPath, JsonObject>();
        for (const write of writes) {
          const current = await this.#readOne(transaction, write.path);
          if (!holds(write.when, current)) return { status: 'refused' };
          const before = pending.get(write.path) ?? current?.data ?? {};
          const data = write.kind === 'put' ? write.data : patched(before, write);
          pending.set(write.path, data);
          const content = `${JSON.stringify(data, null, 2)}\n`;
          contents.set(write.path, content);
          versions.set(write.path, versionOf(content));
        }
        for (const [path, content] of contents) transaction.write(this.fileOf(path), content);
        return { status: 'committed', versions };
      });
    } catch (error) {
      if (error instanceof UnfinishedCommit) return { status: 'unclear', cause: error };
      throw error;
    }
  }

  list(collection: string, { limit, after = '', where }: PageRequest): Promise<Page> {
    const folder = join(this.#workspace.root, 'firestore', ...segmentsOf(collection));
    return this.#workspace.transact(async (transaction) => {
      const ids = (await transaction.names(folder))
        .flatMap((name) => (name.endsWith('.json') ? [decodeFileName(name.slice(0, -5))] : []))
        .filter((id): id is string => id !== undefined && id > after)
        .sort(byCodeUnit);
      const documents = [];
      for (const [index, id] of ids.entries()) {
        const document = await this.#readOne(transaction, `${collection}/${id}`);
        const isWanted = !where || where.among.includes(document?.data[where.field] as string);
        if (document && isWanted) documents.push({ ...document, id });
        const isLast = index === ids.length - 1;
        if (documents.length === limit && !isLast) return { documents, next: id };
      }
      return { documents };
    });
  }

  /** Where a document lies on the disk. */
  fileOf(path: DocumentPath): string {
    return `${join(this.#workspace.root, 'firestore', ...segmentsOf(path))}.json`;
  }

  async #readOne(
    transaction: Transaction,
    path: DocumentPath,
  ): Promise<StoredDocument | undefined> {
    const file = this.fileOf(path);
    const state = await transaction.read(file);
    return state && parse(file, state);
  }
}

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
