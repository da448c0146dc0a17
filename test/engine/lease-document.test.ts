import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/contracts/documents.js';
import { type LeaseOwner, parseLease, standingOf } from '../../src/engine/lease-document.js';
import { LEASE_TTL_MS, leaseDocument } from '../support/engine-samples.js';

const HERE = () => false;
const GONE = () => true;

describe('a lease', () => {
  test.each<[string, JsonObject | undefined, number, (owner: LeaseOwner) => boolean, string]>([
    ['absent', undefined, 1, HERE, 'none'],
    ['just written', {}, 0, HERE, 'live'],
    ['at the end of its ttl', {}, LEASE_TTL_MS, HERE, 'live'],
    ['past its ttl', {}, LEASE_TTL_MS + 1, HERE, 'expired'],
    ['past a short ttl', { ttlMs: 500 }, 501, HERE, 'expired'],
    ['written after it was read', {}, -5_000, HERE, 'live'],
    ['of a process that ended', {}, 0, GONE, 'expired'],
    ['given back', { state: 'RELEASED' }, 0, HERE, 'released'],
    ['given back long ago', { state: 'RELEASED' }, LEASE_TTL_MS * 9, GONE, 'released'],
    ['done', { state: 'DONE' }, 0, HERE, 'none'],
    ['done long ago', { state: 'DONE' }, LEASE_TTL_MS * 9, GONE, 'none'],
  ])('%s', (_what, fields, readTimeMs, ownerIsGone, standing) => {
    const document = fields && leaseDocument(fields);
    expect(standingOf(document, readTimeMs, ownerIsGone)).toBe(standing);
  });

  test('expires by the store’s clock alone', () => {
    const epochs = fc.integer({ min: 0, max: 4_000_000_000_000 });
    const silences = fc.integer({ min: -LEASE_TTL_MS, max: 3 * LEASE_TTL_MS });
    fc.assert(
      fc.property(
        epochs,
        silences,
        fc.date({ noInvalidDate: true }),
        (updateTimeMs, silence, claimed) => {
          const lease = leaseDocument({ claimedAt: claimed.toISOString() });
          const standing = standingOf({ ...lease, updateTimeMs }, updateTimeMs + silence, HERE);
          expect(standing).toBe(silence > LEASE_TTL_MS ? 'expired' : 'live');
        },
      ),
    );
  });

  test('asks after the owner that it names', () => {
    const asked: LeaseOwner[] = [];
    standingOf(leaseDocument(), 0, (owner) => asked.push(owner) > 99);
    expect(asked).toEqual([{ host: 'host-1', pid: 42, started: '7' }]);
  });
});

describe('what is no lease of ours', () => {
  test.each([
    ...['token', 'claimId', 'attempt', 'state', 'ttlMs', 'heartbeat', 'owner', 'reserved'].flatMap(
      (field): [string, unknown][] => [
        [field, undefined],
        [field, null],
        [field, [1]],
      ],
    ),
    ['attempt', 1.5],
    ['attempt', '1'],
    ['heartbeat', '1'],
    ['state', 'active'],
    ['ttlMs', '90000'],
  ])('%s %j', (field, value) => {
    const document = leaseDocument({ [field]: value });
    expect(parseLease(document)).toBeUndefined();
    expect(standingOf(document, LEASE_TTL_MS * 9, GONE)).toBe('none');
  });

  test('is never taken for one, and never throws', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (data) => {
        const document = { data, version: 'v', updateTimeMs: 0 };
        return standingOf(document, 1, GONE) === 'none';
      }),
    );
  });

  test('is not said of a whole one', () => {
    const document = leaseDocument({ eventId: 'e', unknown: 'kept' });
    expect(parseLease(document)).toEqual(document.data);
  });
});
