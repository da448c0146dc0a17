import { randomUUID } from 'node:crypto';
import { type Dir, opendirSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { isJsonObject } from '../contracts/documents.js';
import { ConfigError, reasonOf, StoreUnavailable } from '../failures.js';
import { makeFolder } from './make-folder.js';
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
  /** The names of the files in a folder, unsorted, one by one; none where there is no folder. */
  names(folder: string): Iterable<string>;
  write(file: string, content: string | StagedFile): void;
  remove(file: string): void;
}

type Change = { readonly file: string; readonly content: string | StagedFile | undefined };
/**
 * What a journal holds: renames of staged files, and removals; safe to do again. Its paths are
 * relative to the workspace, which the next process may know by another name.
 */
type Step = { readonly from: string; readonly to: string } | { readonly remove: string };

/**
 * A folder whose files change all-or-nothing, across processes, also when one is killed (not when
 * the power fails: nothing is flushed). New contents are first staged in full, then a journal
 * that lists the renames appears under its name, then the renames are done, which need no room on
 * a full disk. Whoever takes the lock next finishes a journal it finds: a commit is decided by the
 * journal's own rename, and by nothing later.
 *
 * Under the lock, what is small is done at once and not by way of Node's threads, which took a tenth of
 * a run. A disk that hangs is met before, by the lock's own calls, with the program still awake.
 */
export class Workspace {
  readonly root: string;
  readonly #lock: WorkspaceLock;
  readonly #staging: string;
  readonly #journal: string;
  readonly #readOnly: boolean;
  /** A journal of ours could not be finished: it still wants what we staged. */
  #unfinished = false;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(root: string, readOnly: boolean) {
    this.root = resolve(root);
    this.#readOnly = readOnly;
    this.#lock = new WorkspaceLock(this.root);
    const me = { ...thisProcess(), nonce: randomUUID() };
    const mine = Buffer.from(JSON.stringify(me)).toString('base64url');
    this.#staging = join(this.root, '.staged', mine);
    this.#journal = join(this.root, '.journal.json');
  }

  /** Makes the folder where it is missing; rejects with `ConfigError` where it cannot be used. */
  static async open(root: string): Promise<Workspace> {
    const workspace = new Workspace(root, false);
    try {
      await makeFolder(workspace.#staging);
      await workspace.#hideFromGit();
      await workspace.#removeLeftovers();
    } catch (error) {
      if (error instanceof StoreUnavailable || error instanceof ConfigError) throw error;
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOSPC' || code === 'EDQUOT') throw workspace.#unavailable(error);
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

  /** Removes what this process staged and did not use; what is left the next to open removes. */
  async close(): Promise<void> {
    if (this.#readOnly) return;
    await this.#queue;
    // That journal still wants them.
    if (this.#unfinished) return;
    try {
      await rm(this.#staging, { recursive: true, force: true });
      await rmdir(dirname(this.#staging));
    } catch {
      // Mostly a neighbour's files: its folder stays while somebody uses it.
    }
  }

  /** Writes bytes to the disk ahead of the transaction that gives them a name. */
  stage(bytes: Uint8Array | string): Promise<StagedFile> {
    return this.#staged((path) => writeFile(path, bytes, { flag: 'wx' }));
  }

  async #staged(write: (path: string) => unknown): Promise<StagedFile> {
    if (this.#readOnly) throw lookingOnly();
    const path = join(this.#staging, randomUUID());
    try {
      await write(path);
    } catch (error) {
      // A neighbour that closed last may have swept the empty parent away.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        await makeFolder(this.#staging);
        await write(path);
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
    try {
      if (this.#readOnly) return await body(reader(Date.now()));
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
      throw isSystemError(error) ? this.#unavailable(error) : error;
    }
  }

  async #apply(changes: readonly Change[]): Promise<void> {
    if (changes.length === 0) return;
    const steps: Step[] = [];
    for (const { file, content } of changes) {
      const to = relative(this.root, file);
      if (content === undefined) {
        steps.push({ remove: to });
        continue;
      }
      await makeFolder(dirname(file));
      const { path } = typeof content === 'string' ? await this.#stageNow(content) : content;
      steps.push({ from: relative(this.root, path), to });
    }
    const [only, ...others] = steps;
    if (only && others.length === 0) {
      this.#perform(only);
      return;
    }
    const { path } = await this.#stageNow(JSON.stringify(steps));
    renameSync(path, this.#journal);
    try {
      for (const step of steps) this.#perform(step);
      unlinkSync(this.#journal);
    } catch (error) {
      this.#unfinished = true;
      throw new UnfinishedCommit(`workspace ${this.root}: ${reasonOf(error)}`, { cause: error });
    }
  }

  #stageNow(text: string): Promise<StagedFile> {
    return this.#staged((path) => writeFileSync(path, text, { flag: 'wx' }));
  }

  async #finishJournal(): Promise<void> {
    const journal = await read(this.#journal);
    if (journal !== undefined) {
      for (const step of this.#stepsOf(journal)) this.#perform(step);
      unlinkSync(this.#journal);
    }
    this.#unfinished = false;
  }

  #stepsOf({ bytes }: FileState): Step[] {
    const journal = parsed(bytes);
    if (Array.isArray(journal) && journal.every((step) => this.#isStep(step))) return journal;
    // Of our own making only a power failure does that: a journal gets its name when it is whole.
    throw new ConfigError(`${this.#journal} is damaged; delete it to go on without that commit`);
  }

  /** A journal that somebody else left must not lead out of the workspace. */
  #isStep(step: unknown): step is Step {
    if (!isJsonObject(step)) return false;
    const paths = 'remove' in step ? [step.remove] : [step.from, step.to];
    return paths.every(
      (path) => typeof path === 'string' && join(this.root, path).startsWith(this.root + sep),
    );
  }

  /** A staged file that is gone was renamed already, by ourselves or by whoever finished for us. */
  #perform(step: Step): void {
    try {
      if ('remove' in step) unlinkSync(join(this.root, step.remove));
      else renameSync(join(this.root, step.from), join(this.root, step.to));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  #unavailable(error: unknown): StoreUnavailable {
    return new StoreUnavailable(`workspace ${this.root}: ${reasonOf(error)}`, { cause: error });
  }

  /** Whole or not at all: an empty one would be left alone ever after. */
  async #hideFromGit(): Promise<void> {
    const file = join(this.root, '.gitignore');
    if (await read(file)) return;
    const { path } = await this.stage('*\n');
    await rename(path, file);
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
export class UnfinishedCommit extends StoreUnavailable {}

function lookingOnly(): Error {
  return new Error('this workspace was opened for looking only');
}

function reader(nowMs: number): Transaction {
  const refuse = () => {
    throw lookingOnly();
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

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

async function read(file: string): Promise<FileState | undefined> {
  try {
    // Most of what is looked for is not there.
    const found = statSync(file, { throwIfNoEntry: false });
    return found && { bytes: await readFile(file), mtimeMs: found.mtimeMs };
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/** At once: ten thousand promises cost more, in time and in memory, than the reading they wait for. */
function* names(folder: string): Generator<string> {
  let opened: Dir | undefined;
  try {
    opened = opendirSync(folder, { bufferSize: 512 });
    for (let entry = opened.readSync(); entry; entry = opened.readSync()) {
      if (!entry.isDirectory()) yield entry.name;
    }
  } catch (error) {
    if (!isAbsence(error)) throw error;
  } finally {
    opened?.closeSync();
  }
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
