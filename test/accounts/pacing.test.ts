import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Pacing } from '../../src/accounts/pacing.js';
import { paceOf } from '../../src/accounts/plans.js';
import type { Account } from '../../src/contracts/documents.js';

const BASIC: Account = { id: 'basic', apiKey: 'k' };

/** Sends as soon as it may, `count` times; when each left. */
function send(pacing: Pacing, account: Account, count: number, fromMs = 0): number[] {
  let nowMs = fromMs;
  return Array.from({ length: count }, () => {
    nowMs = pacing.earliestMs(account, nowMs);
    pacing.sent(account, nowMs);
    return nowMs;
  });
}

/** What the provider does: a bucket of `burst`, refilled at `perSecond`. True: all were let in. */
function letsAllIn(arrivals: readonly number[], perSecond: number, burst: number): boolean {
  let tokens = burst;
  let lastMs = arrivals[0] ?? 0;
  for (const atMs of arrivals) {
    tokens = Math.min(burst, tokens + ((atMs - lastMs) / 1_000) * perSecond);
    lastMs = atMs;
    if (tokens < 1) return false;
    tokens -= 1;
  }
  return true;
}

test('without a plan an account sends a burst of three, then one a second', () => {
  const times = send(new Pacing(), BASIC, 13);
  expect(times.slice(0, 3)).toEqual([0, 0, 0]);
  // Ten more in ten seconds, and a little: less than a twentieth is lost to caution.
  expect(times[12]).toBeGreaterThan(10_000);
  expect(times[12]).toBeLessThan(10_500);
});

test('after a pause the burst is there again, and no more than that', () => {
  const pacing = new Pacing();
  send(pacing, BASIC, 20);
  const later = send(pacing, BASIC, 4, 1_000_000);
  expect(later.slice(0, 3)).toEqual([1_000_000, 1_000_000, 1_000_000]);
  expect(later[3]).toBeGreaterThan(1_000_900);
});

test('each account has a pace of its own, its own words first', () => {
  const pacing = new Pacing();
  send(pacing, BASIC, 3);
  expect(pacing.earliestMs({ id: 'other', apiKey: 'k' }, 0)).toBe(0);
  expect(paceOf({ ...BASIC, plan: 'PRO' })).toEqual(
    expect.objectContaining({ requestsPerSecond: 10, burst: 15 }),
  );
  const fast: Account = { id: 'fast', apiKey: 'k', plan: 'BASIC', requestsPerSecond: 5, burst: 1 };
  const [first, second] = send(pacing, fast, 2);
  expect(first).toBe(0);
  expect(second).toBeGreaterThanOrEqual(200);
  expect(second).toBeLessThan(600);
});

test('whatever the pauses and the way there, a bucket as the plan says lets all in', () => {
  const plans = fc.record({
    requestsPerSecond: fc.integer({ min: 1, max: 35 }),
    burst: fc.integer({ min: 1, max: 50 }),
  });
  const pauses = fc.array(
    fc.record({ pauseMs: fc.nat(5_000), wayMs: fc.integer({ min: 1, max: 100 }) }),
    { minLength: 1, maxLength: 120 },
  );
  fc.assert(
    fc.property(plans, pauses, ({ requestsPerSecond, burst }, sends) => {
      const account: Account = { id: 'a', apiKey: 'k', requestsPerSecond, burst };
      const pacing = new Pacing();
      let nowMs = 0;
      let arrivedMs = 0;
      const arrivals = sends.map(({ pauseMs, wayMs }) => {
        nowMs = pacing.earliestMs(account, nowMs + pauseMs);
        pacing.sent(account, nowMs);
        // One behind the other, as on one connection.
        arrivedMs = Math.max(arrivedMs, nowMs + wayMs);
        return arrivedMs;
      });
      expect(letsAllIn(arrivals, requestsPerSecond, burst)).toBe(true);
    }),
  );
});

test('a bucket that was waited for is full, whatever its fractions add up to', () => {
  const pacing = new Pacing();
  const account: Account = { id: 'a', apiKey: 'k', requestsPerSecond: 6, burst: 1 };
  const [first = 0, second = 0, third = 0] = send(pacing, account, 3, 44);
  expect(second - first).toBeGreaterThan(460);
  expect(third - second).toBeGreaterThan(460);
});

describe('"Too Many Requests"', () => {
  test('empties the bucket and halves the pace, for a while', () => {
    const pacing = new Pacing();
    pacing.refused(BASIC, 0);
    const [first = 0, second = 0] = send(pacing, BASIC, 2);
    expect(first).toBeGreaterThanOrEqual(2_000);
    expect(second - first).toBeGreaterThanOrEqual(2_000);
    const later = send(pacing, BASIC, 4, 100_000);
    expect((later[3] ?? 0) - (later[2] ?? 0)).toBeLessThan(1_500);
  });

  test('again and again slows it further, to an eighth at most', () => {
    const pacing = new Pacing();
    const waits = [1, 2, 3, 4, 5].map((n) => {
      pacing.refused(BASIC, n);
      return pacing.earliestMs(BASIC, n) - n;
    });
    for (const [index, seconds] of [2, 4, 8, 8, 8].entries()) {
      expect(waits[index]).toBeGreaterThanOrEqual(seconds * 1_000);
      expect(waits[index]).toBeLessThan(seconds * 1_000 * 1.1);
    }
  });

  test('with a Retry-After is obeyed', () => {
    const pacing = new Pacing();
    pacing.refused(BASIC, 0, 20_000);
    expect(pacing.earliestMs(BASIC, 0)).toBe(20_000);
  });
});
