import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/clock.js';
import type { CommitResult, DocumentStore } from '../../src/documents/document-store.js';
import type { LeaseDocument } from '../../src/engine/lease-document.js';
import { Stopwatch } from '../../src/engine/server-clock.js';
import { StepLease } from '../../src/engine/step-lease.js';
import { StoreUnavailable } from '../../src/failures.js';
import { LEASE_TTL_MS, leaseDocument } from '../support/engine-samples.js';

/** A clock that is moved by hand; every sleeper is woken by `wake`. */
function handClock() {
  let nowMs = 0;
  const sleepers = new Set<() => void>();
  const clock: Clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    random: () => 0,
    sleep: (_, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        sleepers.add(resolve);
        signal?.addEventListener('abort', () => resolve());
      }),
  };
  const wake = async (afterMs: number) => {
    nowMs += afterMs;
    for (const resolve of sleepers) resolve();
    sleepers.clear();
    await turn();
  };
  return { clock, wake };
}

/** A store that is gone: a commit waits until `fail`, and then nothing can be read either. */
function lostStore() {
  const commits: (() => void)[] = [];
  const gone = new StoreUnavailable('it is gone');
  const store: DocumentStore = {
    commit: () =>
      new Promise<CommitResult>((resolve) => {
        commits.push(() => resolve({ status: 'unclear', cause: gone }));
      }),
    read: () => Promise.reject(gone),
    list: () => Promise.reject(gone),
  };
  const fail = async () => {
    commits.at(-1)?.();
    await turn();
  };
  return { store, fail, sent: () => commits.length };
}

function scene() {
  const { clock, wake } = handClock();
  const lost = lostStore();
  const lease = leaseDocument().data as unknown as LeaseDocument;
  const claimed = { lease, version: 'v1', sent: new Stopwatch(clock) };
  return { wake, ...lost, lease: new StepLease(lost.store, 'leases/x', clock, claimed) };
}

describe('a lease whose store is gone', () => {
  test('a chart whose time ran out while it waited for a beat sends none of its own', async () => {
    const { lease, wake, fail, sent } = scene();
    const beating = lease.beat(() => undefined);
    await wake(LEASE_TTL_MS);
    expect(sent()).toBe(1);
    const deadline = new AbortController();
    const fresh = lease.fresh(deadline.signal).catch((error: unknown) => error);
    deadline.abort('too late');
    await fail();
    expect(await fresh).toBe('too late');
    expect(sent()).toBe(1);
    lease.stop();
    await beating;
  });

  test('with time left it asks again, since the store may be back', async () => {
    const { lease, wake, fail, sent } = scene();
    await wake(LEASE_TTL_MS);
    const deadline = new AbortController();
    const fresh = lease.fresh(deadline.signal).catch((error: unknown) => error);
    await turn();
    await fail();
    await wake(1);
    expect(sent()).toBe(2);
    deadline.abort('too late');
    await fail();
    expect(await fresh).toBe('too late');
  });

  test('a beat that was stopped while it waited for its turn is not sent', async () => {
    const { lease, wake, fail, sent } = scene();
    const settle = lease
      .exclusively((hold) => hold.commit({ state: 'DONE' }, []))
      .catch((error: unknown) => error);
    const beating = lease.beat(() => undefined);
    await wake(LEASE_TTL_MS / 3);
    lease.stop();
    await fail();
    expect(await settle).toBeInstanceOf(StoreUnavailable);
    await beating;
    expect(sent()).toBe(1);
  });
});
