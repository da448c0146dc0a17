import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { DocumentPath, DocumentStore, Reading, Write } from '../documents/document-store.js';
import { StoreUnavailable } from '../failures.js';
import { type LeaseDocument, leaseData, parseLease } from './lease-document.js';
import { backOff, Stopwatch } from './server-clock.js';

/** The step is no longer ours: nothing more may be written for it. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** What may be done while no other write of our lease is under way. */
export interface LeaseHold {
  /** As last read or written. */
  readonly lease: LeaseDocument;
  /** Reads the lease along with these; rejects with `LeaseLost` if its token is not ours. */
  read(paths: readonly DocumentPath[]): Promise<Reading>;
  /**
   * Commits a change of the lease with these writes, all or none, only with our token in place.
   * `refused`: another document of the commit had moved; read again and decide anew.
   */
  commit(
    change: Partial<LeaseDocument>,
    writes: readonly Write[],
  ): Promise<'committed' | 'refused'>;
  /**
   * As `commit`, for a caller that reads after every `open` anyway, and tells from the state that it
   * finds whether this commit was applied after all: that spares a round trip.
   */
  send(
    change: Partial<LeaseDocument> & Pick<LeaseDocument, 'state'>,
    writes: readonly Write[],
  ): Promise<'committed' | 'open'>;
}

/**
 * Our lease on one step: the only writer of its document while we hold it. All writes go through
 * one queue, so that a heartbeat cannot move the version under a settle.
 */
export class StepLease {
  readonly #store: DocumentStore;
  readonly #path: DocumentPath;
  readonly #clock: Clock;
  readonly #stopped = new AbortController();
  #lease: LeaseDocument;
  #version: string;
  /** Started when the last acknowledged write was sent. */
  #sinceLastBeat: Stopwatch;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(
    store: DocumentStore,
    path: DocumentPath,
    clock: Clock,
    claimed: { lease: LeaseDocument; version: string; sent: Stopwatch },
  ) {
    this.#store = store;
    this.#path = path;
    this.#clock = clock;
    this.#lease = claimed.lease;
    this.#version = claimed.version;
    this.#sinceLastBeat = claimed.sent;
  }

  get current(): LeaseDocument {
    return this.#lease;
  }

  /** Beats every third of the ttl until `stop`; calls back once when the lease turns out lost. */
  async beat(onLost: (lost: LeaseLost) => void): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      await this.#clock.sleep(this.#lease.ttlMs / 3, this.#stopped.signal);
      if (this.#stopped.signal.aborted) return;
      try {
        await this.exclusively(async (hold) => {
          const isWanted = hold.lease.state === 'ACTIVE' && !this.#stopped.signal.aborted;
          if (isWanted) await hold.commit({}, []);
        });
      } catch (error) {
        if (error instanceof LeaseLost) return onLost(error);
        // A store that cannot be reached now may be in a moment; `fresh` waits for it.
        if (!(error instanceof StoreUnavailable)) throw error;
      }
    }
  }

  stop(): void {
    this.#stopped.abort();
  }

  /**
   * Resolves once a call or a put may be made: less than two thirds of the ttl passed since the
   * last acknowledged beat was sent. After a pause (a stopped process, a sleeping laptop) that
   * takes a new beat, which tells whether the step is still ours.
   */
  async fresh(signal: AbortSignal): Promise<void> {
    for (let round = 0; this.#isStale(); round++) {
      signal.throwIfAborted();
      try {
        await this.exclusively(async (hold) => {
          // The turn may have come late: behind a beat that waited for a store that is gone.
          if (this.#isStale() && !signal.aborted) await hold.commit({}, []);
        });
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        await backOff(this.#clock, round, signal);
      }
    }
  }

  /** Runs `body` when every earlier write of the lease is through, and keeps later ones waiting. */
  exclusively<T>(body: (hold: LeaseHold) => Promise<T>): Promise<T> {
    const current = () => this.#lease;
    const turn = this.#queue.then(() =>
      body({
        get lease() {
          return current();
        },
        read: (paths) => this.#read(paths),
        commit: (change, writes) => this.#commit(change, writes),
        send: async (change, writes) =>
          (await this.#send(change, writes)).committed ? 'committed' : 'open',
      }),
    );
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  #isStale(): boolean {
    return this.#sinceLastBeat.elapsedMs() >= (this.#lease.ttlMs * 2) / 3;
  }

  async #read(paths: readonly DocumentPath[]): Promise<Reading> {
    const reading = await this.#store.read([this.#path, ...paths]);
    const document = reading.get(this.#path);
    const lease = parseLease(document);
    if (!document || lease?.token !== this.#lease.token) {
      throw new LeaseLost('another worker took it over');
    }
    this.#lease = lease;
    this.#version = document.version;
    return reading;
  }

  async #commit(
    change: Partial<LeaseDocument>,
    writes: readonly Write[],
  ): Promise<'committed' | 'refused'> {
    const { committed, writeId, sent } = await this.#send(change, writes);
    if (committed) return 'committed';
    // Refused or unclear, it may have been applied all the same: only the document tells.
    await this.#read([]);
    if (this.#lease.writeId !== writeId) return 'refused';
    this.#sinceLastBeat = sent;
    return 'committed';
  }

  async #send(
    change: Partial<LeaseDocument>,
    writes: readonly Write[],
  ): Promise<{ committed: boolean; writeId: string; sent: Stopwatch }> {
    const writeId = randomUUID();
    const lease: LeaseDocument = {
      ...this.#lease,
      ...change,
      heartbeat: this.#lease.heartbeat + 1,
      writeId,
    };
    const sent = new Stopwatch(this.#clock);
    const put: Write = {
      kind: 'put',
      path: this.#path,
      data: leaseData(lease),
      when: { version: this.#version },
    };
    const result = await this.#store.commit([put, ...writes]);
    if (result.status === 'committed') {
      this.#lease = lease;
      this.#version = result.versions.get(this.#path) as string;
      this.#sinceLastBeat = sent;
    }
    return { committed: result.status === 'committed', writeId, sent };
  }
}
