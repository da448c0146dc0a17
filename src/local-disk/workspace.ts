import { randomUUID } from 'node:crypto';
import {
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigError, reasonOf, StoreUnavailable } from '../failures.js';
import { isGone, isProcessIdentity, thisProcess } from './process-identity.js';
import { WorkspaceLock } from './workspace-lock.js';

export interface FileState {
  readonly bytes: Buffer;
  readonly mtimeMs: number;
}

/** Bytes on the workspace's disk that are not yet anybody's file. */
export interface StagedFile {
  readonly path: string;
}

export interface Transaction {
  /** When the lock was taken, by the disk's clock; epoch milliseconds. */
  readonly nowMs: number;
  /** A file's state before this transaction; `undefined` where there is none. */
  read(file: string): Promise<FileState | undefined>;
  /** The names in a folder, unsorted; empty where there is none. */
  names(folder: string): Promise<string[]>;
  write(file: string, content: string | StagedFile): void;
  remove(file: string): void;
}

type Change = { readonly file: string; readonly content: string | StagedFile | undefined };
/** What a journal holds: renames of staged files, and removals; safe to do again. */
type Step = { readonly from: string; readonly to: string } | { readonly remove: string };

/**
 * A folder whose files change all-or-nothing, across processes, also when one is killed (not when
 * the power fails: nothing is flushed). New contents are first staged in full, then a journal
 * that lists the renames appears under its name, then the renames are done, which need no room on
 * a full disk. Whoever takes the lock next finishes a journal it finds: a commit is decided by the
 * journal's own rename, and by nothing later.
 */
export class Workspace {
  readonly root: string;
  readonly #lock: WorkspaceLock;
  readonly #staging: string;
  readonly #journal: string;
  readonly #readOnly: boolean;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(root: string, readOnly: boolean) {
    this.root = root;
    this.#readOnly = readOnly;
    this.#lock = new WorkspaceLock(root);
    const me = { ...thisProcess(), nonce: randomUUID() };
    this.#staging = join(root, '.staged', Buffer.from(JSON.stringify(me)).toString('base64url'));
    this.#journal = join(root, '.journal.json');
  }

  /** Makes the folder where it is missing; rejects with `ConfigError` where it cannot be used. */
  static async open(root: string): Promise<Workspace> {
    const workspace = new Workspace(root, false);
    try {
      await mkdir(workspace.#staging, { recursive: true });
      await writeFile(join(root, '.gitignore'), '*\n', { flag: 'wx' }).catch(ignore('EEXIST'));
      await workspace.#removeLeftovers();
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error;
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOSPC') throw new StoreUnavailable(`workspace ${root}: ${reasonOf(error)}`);
      throw new ConfigError(
        `workspace ${root} cannot be written: ${reasonOf(error)}; name another with --workspace`,
      );
    }
    return workspace;
  }

  /**
   * For looking only: nothing is made, no lock is taken, so a commit that is under way may be
   * seen half done.
   */
  static peek(root: string): Workspace {
    return new Workspace(root, true);
  }

  /** Removes what this process staged and did not use. */
  async close(): Promise<void> {
    if (this.#readOnly) return;
    await rm(this.#staging, { recursive: true, force: true });
    await rmdir(dirname(this.#staging)).catch(ignore('ENOTEMPTY', 'EEXIST', 'ENOENT'));
  }

  /** Writes bytes to the disk ahead of the transaction that gives them a name. */
  async stage(bytes: Uint8Array | string): Promise<StagedFile> {
    const path = join(this.#staging, randomUUID());
    try {
      await writeFile(path, bytes, { flag: 'wx' });
    } catch (error) {
      // A neighbour that closed last may have swept the empty parent away.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        await mkdir(this.#staging, { recursive: true });
        await writeFile(path, bytes, { flag: 'wx' });
      } else {
        await rm(path, { force: true }).catch(() => undefined);
        throw error;
      }
    }
    return { path };
  }

  /**
   * Runs `body` alone among all processes, then applies the changes it asked for, all or none.
   * Rejects with `StoreUnavailable` when the disk refuses and surely nothing was applied, with
   * `UnfinishedCommit` when it was decided and the next holder of the lock will finish it.
   */
  async transact<T>(body: (transaction: Transaction) => Promise<T>): Promise<T> {
    const turn = this.#queue.then(() => this.#transactNow(body));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #transactNow<T>(body: (transaction: Transaction) => Promise<T>): Promise<T> {
    if (this.#readOnly) return body(reader(Date.now()));
    try {
      const lock = await this.#lock.acquire();
      try {
        await this.#finishJournal();
        const changes: Change[] = [];
        const result = await body(writer(lock.takenAtMs, changes));
        await this.#apply(changes);
        return result;
      } finally {
        await lock.release();
      }
    } catch (error) {
      if (!isSystemError(error)) throw error;
      throw new StoreUnavailable(`workspace ${this.root}: ${reasonOf(error)}`, { cause: error });
    }
  }

  async #apply(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return;
    const steps: Step[] = [];
    for (const { file, content } of changes) {
      if (content === undefined) {
        steps.push({ remove: file });
        continue;
      }
      await mkdir(dirname(file), { recursive: true });
      const { path } = typeof content === 'string' ? await this.stage(content) : content;
      steps.push({ from: path, to: file });
    }
    if (steps.length > 1) {
      const { path } = await this.stage(JSON.stringify(steps));
      await rename(path, this.#journal);
    }
    try {
      for (const step of steps) await perform(step);
      if (steps.length > 1) await unlink(this.#journal);
    } catch (error) {
      if (steps.length > 1) throw new UnfinishedCommit(reasonOf(error), { cause: error });
      throw error;
    }
  }

  async #finishJournal(): Promise<void> {
    const journal = await read(this.#journal);
    if (journal === undefined) return;
    for (const step of JSON.parse(journal.bytes.toString('utf8')) as Step[]) await perform(step);
    await unlink(this.#journal);
  }

  /** Staged files of processes that died before they could use them. */
  async #removeLeftovers(): Promise<void> {
    const folder = dirname(this.#staging);
    const dead = (await readdir(folder)).filter((name) => {
      const owner = decodeOwner(name);
      return owner !== undefined && isGone(owner);
    });
    if (dead.length === 0) return;
    // Only under the lock, and after its journal: that may still want them.
    await this.transact(async () => {
      for (const name of dead) await rm(join(folder, name), { recursive: true, force: true });
    });
  }
}

/** The commit is decided but not yet applied; the next holder of the lock does so. */
export class UnfinishedCommit extends Error {
  override readonly name = 'UnfinishedCommit';
}

function reader(nowMs: number): Transaction {
  const refuse = () => {
    throw new Error('this workspace was opened for looking only');
  };
  return { nowMs, read, names, write: refuse, remove: refuse };
}

function writer(nowMs: number, changes: Change[]): Transaction {
  return {
    nowMs,
    read,
    names,
    write: (file, content) => changes.push({ file, content }),
    remove: (file) => changes.push({ file, content: undefined }),
  };
}

async function read(file: string): Promise<FileState | undefined> {
  try {
    const [bytes, { mtimeMs }] = await Promise.all([readFile(file), stat(file)]);
    return { bytes, mtimeMs };
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

async function names(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
}

/** A staged file that is gone was renamed already, by ourselves or by whoever finished for us. */
async function perform(step: Step): Promise<void> {
  if ('remove' in step) await unlink(step.remove).catch(ignore('ENOENT'));
  else await rename(step.from, step.to).catch(ignore('ENOENT'));
}

function decodeOwner(name: string) {
  try {
    const owner: unknown = JSON.parse(Buffer.from(name, 'base64url').toString('utf8'));
    return isProcessIdentity(owner) ? owner : undefined;
  } catch {
    return undefined;
  }
}

function isAbsence(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

function ignore(...codes: string[]): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (!codes.includes(error.code ?? '')) throw error;
  };
}
