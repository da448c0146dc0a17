import { randomUUID } from 'node:crypto';
import type { Reserved } from '../accounts/spending.js';
import type { JsonObject } from '../contracts/documents.js';
import type { DocumentPath, Reading, Write } from '../documents/document-store.js';
import { paths } from '../documents/paths.js';
import type { EngineDeps } from '../engine/deps.js';
import { type LeaseDocument, leaseData, parseLease, standingOf } from '../engine/lease-document.js';
import type { Refund } from '../engine/quota-desk.js';
import { backOff, ServerClock, Stopwatch } from '../engine/server-clock.js';
import { StepLease } from '../engine/step-lease.js';
import { type CacheEntry, entryIn } from './cache-entry.js';
import type { LibraryError } from './library.js';

/** What taking a key needs of the world. */
export interface KeyDeps extends Pick<EngineDeps, 'documents' | 'clock' | 'owner' | 'ownerIsGone'> {
  readonly leaseTtlMs: number;
}

/** What is written along with the lease. */
export interface Reservation {
  readonly reserved: Reserved;
  readonly writes: readonly Write[];
}

/** How a key is asked for. */
export interface KeyRequest<R extends Reservation, Refusal extends object> {
  readonly key: string;
  /** Where the picture will lie; absent: whoever takes the lease over need not look for it. */
  readonly folder?: string;
  /** Read along with the lease, for `reserve`. */
  readonly alsoRead: readonly DocumentPath[];
  /** Whether an entry will do; `sinceMs`: the store's time when the key was first looked at. */
  wants(entry: CacheEntry, readTimeMs: number, sinceMs: number): boolean;
  /**
   * What the one who takes the lease reserves, or why it is not to be taken. `dead`: the claim of
   * whoever held it and did not come to an end.
   */
  reserve(reading: Reading, dead: LeaseDocument | undefined): Promise<R | Refusal>;
  /** Who waited for a picture takes its failure for an answer as well. */
  readonly sharesFailures?: boolean;
  /** How long somebody else is waited for; absent: until the signal aborts. */
  readonly patienceMs?: number;
  readonly signal: AbortSignal;
}

/** Whoever holds the key takes longer than we wait. */
export class KeyBusy extends Error {
  override readonly name = 'KeyBusy';
}

/**
 * - `known`: somebody rendered it, before or while we waited;
 * - `ours`: it is ours to render, for as long as the lease is held;
 * - `failed`: whoever rendered it while we waited came to this;
 * - `refused`: it cannot be rendered.
 */
export type KeyTaken<R extends Reservation, Refusal extends object> =
  | { readonly kind: 'known'; readonly entry: CacheEntry }
  | {
      readonly kind: 'ours';
      readonly lease: StepLease;
      readonly reservation: R;
      readonly serverClock: ServerClock;
    }
  | { readonly kind: 'failed'; readonly failure: LibraryError }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

interface Try<R> {
  readonly lease: LeaseDocument;
  readonly reservation: R;
  readonly sent: Stopwatch;
}

/**
 * Takes the lease on one chart's key, in one conditional commit, unless somebody else renders that
 * chart: then waits for it. Of many that miss the same key at the same time one makes the call; if
 * it dies, another does. Rejects with the signal's reason, with `StoreUnavailable` or `KeyBusy`.
 */
export async function takeKey<R extends Reservation, Refusal extends object>(
  request: KeyRequest<R, Refusal>,
  { documents, clock, owner, ownerIsGone, leaseTtlMs }: KeyDeps,
): Promise<KeyTaken<R, Refusal>> {
  const { key, folder, alsoRead, wants, reserve, sharesFailures, signal } = request;
  const { patienceMs = Number.POSITIVE_INFINITY } = request;
  const waited = new Stopwatch(clock);
  const leasePath = paths.chartLease(key);
  const token = randomUUID();
  const tries: Try<R>[] = [];
  let sinceMs: number | undefined;
  for (let round = 0; ; round++) {
    signal.throwIfAborted();
    const since = new Stopwatch(clock);
    const reading = await documents.read([leasePath, paths.chartCache(key), ...alsoRead]);
    const serverClock = new ServerClock(reading.readTimeMs, since);
    sinceMs ??= reading.readTimeMs;
    const ours = (made: Try<R>, version: string) => ({
      kind: 'ours' as const,
      lease: new StepLease(documents, leasePath, clock, { ...made, version }),
      reservation: made.reservation,
      serverClock,
    });

    const document = reading.get(leasePath);
    const before = parseLease(document);
    // A commit without an answer may have been applied: only token and write tell.
    const applied = tries.find(
      ({ lease }) => before?.token === token && before.writeId === lease.writeId,
    );
    if (applied && document) return ours(applied, document.version);
    const entry = entryIn(reading, key);
    if (entry && wants(entry, reading.readTimeMs, sinceMs)) return { kind: 'known', entry };

    // It ended after we asked: what became of it is the answer to us as well.
    const isNews = document !== undefined && document.updateTimeMs > sinceMs;
    const failure = isNews ? failureIn(before?.failure) : undefined;
    if (failure && sharesFailures) return { kind: 'failed', failure };

    const standing = standingOf(document, reading.readTimeMs, ownerIsGone);
    if (standing !== 'live') {
      const dead = standing === 'none' ? undefined : before;
      const reservation = await reserve(reading, dead);
      if (!('writes' in reservation)) return { kind: 'refused', refusal: reservation };
      // Of the whole claim: the next one looks in one place for all that its holders stored.
      const place = dead?.folder ?? folder;
      const lease: LeaseDocument = {
        schemaVersion: 1,
        token,
        claimId: dead?.claimId ?? randomUUID(),
        attempt: dead ? dead.attempt + 1 : 1,
        state: 'ACTIVE',
        ttlMs: leaseTtlMs,
        heartbeat: (before?.heartbeat ?? 0) + 1,
        writeId: randomUUID(),
        claimedAt: new Date(clock.now()).toISOString(),
        owner,
        ...(place !== undefined && { folder: place }),
        reserved: reservation.reserved,
      };
      const made = { lease, reservation, sent: new Stopwatch(clock) };
      const put: Write = {
        kind: 'put',
        path: leasePath,
        data: leaseData(lease),
        when: document ? { version: document.version } : { absent: true },
      };
      const result = await documents.commit([put, ...reservation.writes]);
      if (result.status === 'committed') {
        return ours(made, result.versions.get(leasePath) as string);
      }
      tries.push(made);
    }
    if (waited.elapsedMs() >= patienceMs) throw new KeyBusy('another worker is still at it');
    await backOff(clock, Math.min(round, LONGEST_WAIT), signal);
  }
}

/** `undefined`: there is none, or it is not one that a worker wrote. */
function failureIn(failure: JsonObject | undefined): LibraryError | undefined {
  const isOne = typeof failure?.code === 'string' && typeof failure.message === 'string';
  return isOne ? (failure as unknown as LibraryError) : undefined;
}

/** Rounds, each of which waits longer than the last: who waits for a picture wants it when it is there. */
const LONGEST_WAIT = 4;

/** What is given back when a key comes to its end. */
export interface KeyRefund {
  /** What has to be read for it; empty: there is nothing to give back. */
  needs(): readonly DocumentPath[];
  of(reading: Reading, lease: LeaseDocument): Refund;
}

/** After so many conflicts the refund is given up: unspent units that stay counted harm nobody. */
const CONFLICTS_WITH_REFUND = 3;

/** What a key's rendering came to. */
export interface KeyEnd {
  /** What makes the picture known. */
  readonly writes: readonly Write[];
  readonly refund?: KeyRefund;
  /** Why there is none, for those who wait. */
  readonly failure?: LibraryError | undefined;
  /** A picture may stand there all the same: the lease is given back, for another one to look. */
  readonly mayBeThere?: boolean;
}

/**
 * The end of a key's rendering, in one commit with what makes its picture known. Nothing is left to
 * take over, whether or not there is a picture, unless nobody knows. Rejects with `LeaseLost` or `StoreUnavailable`.
 */
export function endKey(
  lease: StepLease,
  clock: EngineDeps['clock'],
  { writes, refund, failure, mayBeThere = false }: KeyEnd,
): Promise<void> {
  return lease.exclusively(async (hold) => {
    for (let round = 0; ; round++) {
      const wanted = round < CONFLICTS_WITH_REFUND ? (refund?.needs() ?? []) : [];
      const back = wanted.length > 0 ? refund?.of(await hold.read(wanted), hold.lease) : undefined;
      const reserved = back?.reserved ?? hold.lease.reserved;
      const all = [...writes, ...(back?.writes ?? [])];
      const state = mayBeThere ? 'RELEASED' : 'DONE';
      const change = { state, reserved, ...(failure && { failure: { ...failure } }) } as const;
      if ((await hold.commit(change, all)) === 'committed') return;
      await backOff(clock, round);
    }
  });
}
