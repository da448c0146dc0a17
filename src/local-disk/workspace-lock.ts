import { linkSync, lstatSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sleep } from '../clock.js';
import { StoreUnavailable } from '../failures.js';
import { makeFolder } from './make-folder.js';
import { isGone, isProcessIdentity, type ProcessIdentity } from './process-identity.js';

/** How long a writer waits for the others before it gives up. */
const LOCK_WAIT_MS = 10_000;

/** An heir's link is named after the nonce of the dead holder. */
const HEIR = '.lock.after-';

export interface HeldLock {
  /** When it was taken, by the disk's clock; epoch milliseconds. */
  readonly takenAtMs: number;
  /**
   * Never rejects: what was done under the lock is done. A link that cannot be removed is stale
   * once this process ends.
   */
  release(): void;
}

/** One of a process's workspaces. */
export interface Holder extends ProcessIdentity {
  readonly nonce: string;
}

/**
 * One lock for one workspace, across processes. The lock is a hard link to a file that names its
 * holder, so that it appears and tells its owner in one atomic step. (A symbolic link does so too, but
 * a new one for each turn takes ten times as long: the disk has to find room for it.)
 *
 * A lock is stale only when its process is gone, never by age: a stopped holder would wake and
 * overwrite. To remove a dead holder's lock before taking it is a race that two can win (the second
 * removes the first one's new lock). So nobody removes it: the heir *adds* a link named after the
 * dead holder's nonce, which only one process can create, and the last of that chain holds the
 * lock. Release removes the first link first; whoever adds an heir looks at the first link again: one
 * that names a dead holder never comes back once it is removed.
 */
export class WorkspaceLock {
  readonly #folder: string;
  readonly #first: string;
  readonly #me: Holder;
  readonly #nameplate: string;

  /** `nameplate`: where `me` is named, in a file that nobody else writes, on the same disk. */
  constructor(folder: string, me: Holder, nameplate: string) {
    this.#folder = folder;
    this.#first = firstLink(folder);
    this.#me = me;
    this.#nameplate = nameplate;
  }

  /** Rejects with `StoreUnavailable` when a living process keeps it for more than 10 s. */
  async acquire(): Promise<HeldLock> {
    let deadline: number | undefined;
    for (;;) {
      const attempt = this.#tryAcquire();
      if ('takenAtMs' in attempt) return attempt;
      deadline ??= performance.now() + LOCK_WAIT_MS;
      if (performance.now() > deadline) throw this.#timedOut(attempt.holder);
      await sleep(1 + Math.random() * 15);
    }
  }

  #tryAcquire(): HeldLock | { holder?: Holder } {
    if (this.#linkIfAbsent(this.#first)) return this.#held([this.#first]);
    const first = readHolder(this.#first);
    if (first === undefined) return {};

    const chain = [this.#first];
    let last = first;
    while (isGone(last)) {
      const heir = join(this.#folder, `${HEIR}${last.nonce}`);
      // Copied by hand: no heir of ours leads back.
      if (chain.includes(heir)) return { holder: last };
      if (this.#linkIfAbsent(heir)) {
        const still = readHolder(this.#first);
        if (still?.nonce === first.nonce) return this.#inherited([...chain, heir]);
        // Released between our two looks: this heir inherits from nobody.
        removeIfThere(heir);
        return {};
      }
      const next = readHolder(heir);
      if (next === undefined) return {};
      chain.push(heir);
      last = next;
    }
    return { holder: last };
  }

  #inherited(links: readonly string[]): HeldLock {
    const held = this.#held(links);
    // Links that name none of our chain are of holders killed while they released: as their first link
    // never comes back, whoever finds or adds one of those does not hold the lock.
    try {
      for (const name of readdirSync(this.#folder)) {
        const link = join(this.#folder, name);
        if (name.startsWith(HEIR) && !links.includes(link)) removeIfThere(link);
      }
    } catch {
      // The next heir sweeps.
    }
    return held;
  }

  #held(links: readonly string[]): HeldLock {
    // In this order; after one that cannot be removed the others stay.
    const release = () => links.every(removeIfThere);
    try {
      // A file's time of change is also that of its newest link.
      const { ctimeMs } = lstatSync(links.at(-1) as string);
      return { takenAtMs: ctimeMs, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  #linkIfAbsent(link: string): boolean {
    try {
      return linked(this.#nameplate, link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    // The first time, or somebody cleaned up by hand.
    makeFolder(dirname(this.#nameplate));
    try {
      writeFileSync(this.#nameplate, JSON.stringify(this.#me));
    } catch (error) {
      // Half of it would be a lock of nobody.
      removeIfThere(this.#nameplate);
      throw error;
    }
    return linked(this.#nameplate, link);
  }

  #timedOut(holder: Holder | undefined): StoreUnavailable {
    if (holder && isForeign(holder)) {
      return new StoreUnavailable(
        `${this.#first} is no lock of this program, and names no process; delete the file and run again`,
      );
    }
    const who = holder ? `process ${holder.pid} on ${holder.host}` : 'another process';
    return new StoreUnavailable(
      `${this.#first} is held by ${who} for over ${LOCK_WAIT_MS / 1000} s; end that process (if it no longer exists there, delete the file) and run again`,
    );
  }
}

/** The living process that holds a workspace's lock just now; `undefined`: it can be taken. */
export function lockHolder(folder: string): ProcessIdentity | undefined {
  const seen = new Set<string>();
  let last = readHolder(firstLink(folder));
  while (last !== undefined && !seen.has(last.nonce) && isGone(last)) {
    seen.add(last.nonce);
    last = readHolder(join(folder, `${HEIR}${last.nonce}`));
  }
  return last;
}

function firstLink(folder: string): string {
  return join(folder, '.lock');
}

/** `false`: there is one by that name. */
function linked(file: string, link: string): boolean {
  try {
    linkSync(file, link);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** `undefined`: no such link. One that is not ours names a holder that never counts as gone. */
function readHolder(path: string): Holder | undefined {
  let text: string;
  try {
    if (!lstatSync(path).isFile()) return foreignHolder;
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const holder: unknown = JSON.parse(text);
    return isHolder(holder) ? holder : foreignHolder;
  } catch {
    return foreignHolder;
  }
}

function isHolder(value: unknown): value is Holder {
  return isProcessIdentity(value) && /^[0-9a-f-]{36}$/.test(String((value as Holder).nonce));
}

/** `false`: it is still there. */
function removeIfThere(link: string): boolean {
  try {
    unlinkSync(link);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

/** Of a link, or a file, that this program did not make: nobody knows who it belongs to. */
export function isForeign({ pid }: ProcessIdentity): boolean {
  return pid === foreignHolder.pid;
}

const foreignHolder: Holder = { host: 'an unknown host', pid: 0, started: '', nonce: 'foreign' };
