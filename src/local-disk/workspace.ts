import { randomUUID } from 'node:crypto';
import {
  type Dir,
  opendirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
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
  read(file: string): FileState | undefined;
  /** The names of the files in a folder, unsorted, one by one; none where there is no folder. */
  names(folder: string): Iterable<string>;
  write(file: string, content: string | StagedFile): void;
  remove(file: string): void;
}

/** Whatever is waited for would come after the lock is released. */
type AtOnce<T> = T extends PromiseLike<unknown> ? never : T;

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
 * All of it is done at once and not by way of Node's threads: that took a tenth of a run, and a lock
 * that is taken and released within one turn of the event loop is never held by a process that is
 * busy with something else. A disk that hangs hangs the program; ending it would wait for its
 * threads, too.
 */
export class Workspace {
  readonly root: string;
  readonly #prefix: string;
  readonly #lock: WorkspaceLock;
  readonly #staging: string;
  readonly #draft: string;
  readonly #journal: string;
  readonly #readOnly: boolean;
  /** A journal of ours could not be finished: it still wants what we staged. */
  #unfinished = false;
  #staged = 0;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(root: string, readOnly: boolean) {
    this.root = resolve(root);
    this.#prefix = this.root.endsWith(sep) ? this.root : `${this.root}${sep}`;
    this.#readOnly = readOnly;
    const me = { ...thisProcess(), nonce: randomUUID() };
    const mine = Buffer.from(JSON.stringify(me)).toString('base64url');
    this.#staging = this.pathTo('.staged', mine);
    this.#lock = new WorkspaceLock(this.root, me, this.pathTo('.staged', mine, 'holder'));
    this.#draft = this.pathTo('.staged', mine, 'journal');
    this.#journal = this.pathTo('.journal.json');
  }

  /** Makes the folder where it is missing; rejects with `ConfigError` where it cannot be used. */
  static async open(root: string): Promise<Workspace> {
    const workspace = new Workspace(root, false);
    try {
      makeFolder(workspace.#staging);
      workspace.#hideFromGit();
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

  /** A file of the workspace. Paths are put together as they are: to normalize each took 1 ms of a run. */
  pathTo(...segments: readonly string[]): string {
    return this.#prefix + segments.join(sep);
  }

  /** Its path from the workspace. */
  #nameOf(file: string): string {
    return file.slice(this.#prefix.length);
  }

  /** Removes what this process staged and did not use; what is left the next to open removes. */
  async close(): Promise<void> {
    if (this.#readOnly) return;
    await this.#queue;
    // That journal still wants them.
    if (this.#unfinished) return;
    try {
      removeFolder(this.#staging);
      rmdirSync(dirname(this.#staging));
    } catch {
      // Mostly a neighbour's files: its folder stays while somebody uses it.
    }
  }

  /** Writes bytes to the disk ahead of the transaction that gives them a name. */
  stage(bytes: Uint8Array | string): StagedFile {
    if (this.#readOnly) throw lookingOnly();
    const path = `${this.#staging}${sep}${this.#staged++}`;
    const write = () => writeFileSync(path, bytes, { flag: 'wx' });
    try {
      write();
    } catch (error) {
      // Somebody cleaned up by hand, or this workspace was closed.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
        makeFolder(this.#staging);
        write();
      } else {
        rmSync(path, { force: true });
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
  async transact<T>(body: (transaction: Transaction) => AtOnce<T>): Promise<T> {
    const turn = this.#queue.then(eventLoop).then(() => this.#transactNow(body));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #transactNow<T>(body: (transaction: Transaction) => AtOnce<T>): Promise<T> {
    try {
      if (this.#readOnly) return body(reader(Date.now()));
      const lock = await this.#lock.acquire();
      try {
        this.#finishJournal();
        const changes: Change[] = [];
        const result = body(writer(lock.takenAtMs, changes));
        this.#apply(changes);
        return result;
      } finally {
        lock.release();
      }
    } catch (error) {
      throw isSystemError(error) ? this.#unavailable(error) : error;
    }
  }

  #apply(changes: readonly Change[]): void {
    if (changes.length === 0) return;
    const steps: Step[] = [];
    for (const { file, content } of changes) {
      const to = this.#nameOf(file);
      if (content === undefined) {
        steps.push({ remove: to });
        continue;
      }
      makeFolder(dirname(file));
      const { path } = typeof content === 'string' ? this.stage(content) : content;
      steps.push({ from: this.#nameOf(path), to });
    }
    const [only, ...others] = steps;
    if (only && others.length === 0) {
      this.#perform(only);
      return;
    }
    this.#writeDraft(JSON.stringify(steps));
    renameSync(this.#draft, this.#journal);
    try {
      for (const step of steps) this.#perform(step);
      renameSync(this.#journal, this.#draft);
    } catch (error) {
      this.#unfinished = true;
      throw new UnfinishedCommit(`workspace ${this.root}: ${reasonOf(error)}`, { cause: error });
    }
  }

  /** In the last commit's journal where there is one: a new file takes ten times as long. */
  #writeDraft(text: string): void {
    try {
      writeFileSync(this.#draft, text, { flag: 'r+' });
      truncateSync(this.#draft, Buffer.byteLength(text));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      makeFolder(this.#staging);
      writeFileSync(this.#draft, text);
    }
  }

  #finishJournal(): void {
    const journal = read(this.#journal);
    if (journal !== undefined) {
      for (const step of this.#stepsOf(journal)) this.#performAgain(step);
      unlinkSync(this.#journal);
    }
    this.#unfinished = false;
  }

  #stepsOf({ bytes }: FileState): Step[] {
    const journal = parsed(bytes);
    if (Array.isArray(journal) && journal.every((step) => this.#isStep(step))) return journal;
    // Of our own making only a power failure does that (or leaves the commit before in it): a journal
    // gets its name when it is whole.
    throw new ConfigError(`${this.#journal} is damaged; delete it to go on without that commit`);
  }

  /** A journal that somebody else left must not lead out of the workspace. */
  #isStep(step: unknown): step is Step {
    if (!isJsonObject(step)) return false;
    const paths = 'remove' in step ? [step.remove] : [step.from, step.to];
    return paths.every(
      (path) => typeof path === 'string' && join(this.root, path).startsWith(this.#prefix),
    );
  }

  #perform(step: Step): void {
    if ('remove' in step) rmSync(this.pathTo(step.remove), { force: true });
    else renameSync(this.pathTo(step.from), this.pathTo(step.to));
  }

  /** Of a journal that somebody began: a staged file that is gone was renamed already. */
  #performAgain(step: Step): void {
    try {
      this.#perform(step);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  #unavailable(error: unknown): StoreUnavailable {
    return new StoreUnavailable(`workspace ${this.root}: ${reasonOf(error)}`, { cause: error });
  }

  /** Whole or not at all: an empty one may be somebody's, and is left alone. */
  #hideFromGit(): void {
    const file = this.pathTo('.gitignore');
    if (read(file)) return;
    const { path } = this.stage('*\n');
    renameSync(path, file);
  }

  /** Staged files of processes that died before they could use them. */
  async #removeLeftovers(): Promise<void> {
    const folder = dirname(this.#staging);
    const dead = readdirSync(folder).filter((name) => {
      const owner = decodeOwner(name);
      return owner !== undefined && isGone(owner);
    });
    if (dead.length === 0) return;
    // Only under the lock, and after its journal: that may still want them.
    await this.transact(() => {
      for (const name of dead) removeFolder(join(folder, name));
    });
  }
}

/** The commit is decided but not yet applied; the next holder of the lock does so. */
export class UnfinishedCommit extends StoreUnavailable {}

/**
 * Whoever reads a thousand documents in a row would otherwise hear of no signal and no deadline until
 * it has them all.
 */
function eventLoop(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

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

/** With the files in it; `rmSync` only for what nobody expects there: it loads a module more. */
function removeFolder(folder: string): void {
  try {
    for (const name of readdirSync(folder)) unlinkSync(join(folder, name));
    rmdirSync(folder);
  } catch (error) {
    if (!isAbsence(error)) rmSync(folder, { recursive: true, force: true });
  }
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function read(file: string): FileState | undefined {
  try {
    // Most of what is looked for is not there.
    const found = statSync(file, { throwIfNoEntry: false });
    if (!found) return undefined;
    // A pipe would never end, and nothing else goes on meanwhile.
    if (!found.isFile()) throw new ConfigError(`${file} is no file; delete it or move it away`);
    return { bytes: readFileSync(file), mtimeMs: found.mtimeMs };
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
