import { randomUUID } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { readdir, readlink, symlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreUnavailable } from '../failures.js';
import {
  isGone,
  isProcessIdentity,
  type ProcessIdentity,
  thisProcess,
} from './process-identity.js';

/** How long a writer waits for the others before it gives up. */
const LOCK_WAIT_MS = 10_000;

/** An heir's link is named after the nonce of the dead holder. */
const HEIR = '.lock.after-';

export interface HeldLock {
  /** When it was taken, by the disk's clock; epoch milliseconds. */
  readonly takenAtMs: number;
  /** The holder before died with the lock in hand: something may be unfinished. */
  readonly inherited: boolean;
  /**
   * Never rejects: what was done under the lock is done. A link that cannot be removed is stale
   * once this process ends.
   */
  release(): Promise<void>;
}

interface Holder extends ProcessIdentity {
  readonly nonce: string;
}

/**
 * One lock for one workspace, across processes. The lock is a symbolic link whose target names its
 * holder, so that it appears and tells its owner in one atomic step.
 *
 * A lock is stale only when its process is gone, never by age: a stopped holder would wake and
 * overwrite. To remove a dead holder's lock before taking it is a race that two can win (the second
 * removes the first one's new lock). So nobody removes it: the heir *adds* a link named after the
 * dead holder's nonce, which only one process can create, and the last of that chain holds the
 * lock. Release removes the first link first; whoever adds an heir looks at the first link again.
 */
export class WorkspaceLock {
  readonly #folder: string;
  readonly #first: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.#first = join(folder, '.lock');
  }

  /** Rejects with `StoreUnavailable` when a living process keeps it for more than 10 s. */
  async acquire(): Promise<HeldLock> {
    const deadline = performance.now() + LOCK_WAIT_MS;
    for (;;) {
      const me: Holder = { ...thisProcess(), nonce: randomUUID() };
      const attempt = await this.#tryAcquire(me);
      if ('takenAtMs' in attempt) return attempt;
      if (performance.now() > deadline) throw this.#timedOut(attempt.holder);
      await sleep(1 + Math.random() * 15);
    }
  }

  /** The living process that holds it just now; `undefined`: it can be taken. Takes nothing. */
  async holder(): Promise<ProcessIdentity | undefined> {
    let last = await readHolder(this.#first);
    while (last !== undefined && isGone(last)) {
      last = await readHolder(join(this.#folder, `${HEIR}${last.nonce}`));
    }
    return last;
  }

  async #tryAcquire(me: Holder): Promise<HeldLock | { holder?: Holder }> {
    if (await linkIfAbsent(this.#first, me)) return this.#held([this.#first]);
    const first = await readHolder(this.#first);
    if (first === undefined) return {};

    const chain = [this.#first];
    let last = first;
    while (isGone(last)) {
      const heir = join(this.#folder, `${HEIR}${last.nonce}`);
      if (await linkIfAbsent(heir, me)) {
        const still = await readHolder(this.#first);
        if (still?.nonce === first.nonce) return this.#inherited([...chain, heir]);
        // Released between our two looks: this heir inherits from nobody.
        await unlink(heir).catch(() => undefined);
        return {};
      }
      const next = await readHolder(heir);
      if (next === undefined) return {};
      chain.push(heir);
      last = next;
    }
    return { holder: last };
  }

  async #inherited(links: readonly string[]): Promise<HeldLock> {
    const held = await this.#held(links);
    // Links that name none of our chain are of holders killed while they released: as the first
    // link is never the same again, whoever finds or adds one of those does not hold the lock.
    for (const name of await readdir(this.#folder)) {
      const link = join(this.#folder, name);
      if (name.startsWith(HEIR) && !links.includes(link)) await unlink(link).catch(() => undefined);
    }
    return held;
  }

  async #held(links: readonly string[]): Promise<HeldLock> {
    const release = async () => {
      try {
        for (const link of links) await unlink(link).catch(ignoreAbsence);
      } catch {
        // See the promise above.
      }
    };
    try {
      const { mtimeMs } = lstatSync(links.at(-1) as string);
      return { takenAtMs: mtimeMs, inherited: links.length > 1, release };
    } catch (error) {
      await release();
      throw error;
    }
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

async function linkIfAbsent(path: string, holder: Holder): Promise<boolean> {
  try {
    await symlink(JSON.stringify(holder), path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** `undefined`: no such link. One that is not ours names a holder that never counts as gone. */
async function readHolder(path: string): Promise<Holder | undefined> {
  let target: string;
  try {
    target = await readlink(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'EINVAL') return foreignHolder;
    throw error;
  }
  try {
    const holder: unknown = JSON.parse(target);
    return isHolder(holder) ? holder : foreignHolder;
  } catch {
    return foreignHolder;
  }
}

function isHolder(value: unknown): value is Holder {
  return isProcessIdentity(value) && /^[0-9a-f-]{36}$/.test(String((value as Holder).nonce));
}

function ignoreAbsence(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

/** Of a link, or a file, that this program did not make: nobody knows who it belongs to. */
export function isForeign({ pid }: ProcessIdentity): boolean {
  return pid === foreignHolder.pid;
}

const foreignHolder: Holder = { host: 'an unknown host', pid: 0, started: '', nonce: 'foreign' };
