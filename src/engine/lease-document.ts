import type { Reserved } from '../accounts/spending.js';
import { isJsonObject, type JsonObject } from '../contracts/documents.js';
import type { StoredDocument } from '../documents/document-store.js';

export interface LeaseOwner {
  readonly host: string;
  readonly pid: number;
  readonly started: string;
}

/** `flow_runs/{runId}/step_leases/{stepId}`. */
export interface LeaseDocument {
  readonly schemaVersion: 1;
  /** The fencing token: random, new with every claim and takeover. */
  readonly token: string;
  /** Kept across takeovers, new with a replay: charts of one claim are not paid twice. */
  readonly claimId: string;
  /** 1, and one more for every holder that died. */
  readonly attempt: number;
  readonly state: 'ACTIVE' | 'RELEASED' | 'DONE';
  readonly ttlMs: number;
  /** Grows with every write, so that no write is a no-op (those move no `updateTime`). */
  readonly heartbeat: number;
  /** Of the last write: tells after a lost reply whether it was applied. */
  readonly writeId: string;
  readonly claimedAt: string;
  readonly eventId?: string;
  /** Of a replay that renders only these, by template id: who takes it over keeps the rest as well. */
  readonly only?: readonly string[];
  readonly owner: LeaseOwner;
  /** Of a chart on demand: where its holder puts the picture, for whoever takes it over to look. */
  readonly folder?: string;
  /** Of a chart on demand: why there is no picture, for those who waited for it. */
  readonly failure?: JsonObject;
  readonly reserved: Reserved;
}

/** `undefined`: not a lease that this worker wrote. */
export function parseLease(document: StoredDocument | undefined): LeaseDocument | undefined {
  const data = document?.data;
  if (!data) return undefined;
  const { token, claimId, attempt, state, ttlMs, heartbeat, owner, reserved } = data;
  const whole =
    typeof token === 'string' &&
    typeof claimId === 'string' &&
    Number.isInteger(attempt) &&
    (state === 'ACTIVE' || state === 'RELEASED' || state === 'DONE') &&
    typeof ttlMs === 'number' &&
    Number.isInteger(heartbeat) &&
    isJsonObject(owner) &&
    isJsonObject(reserved);
  return whole ? (data as unknown as LeaseDocument) : undefined;
}

export function leaseData(lease: LeaseDocument): JsonObject {
  return lease as unknown as JsonObject;
}

/**
 * - `live`: somebody may be working;
 * - `expired`: its holder died, or was silent for longer than its ttl;
 * - `released`: its holder gave the step back;
 * - `none`: no lease, or one that is done.
 */
export type LeaseStanding = 'live' | 'expired' | 'released' | 'none';

/**
 * The stale rule: the store's `readTime` less the lease's `updateTime` against its ttl, both by
 * the store's clock. No worker's clock takes part: a false takeover pays for every chart twice
 * and lets two workers write, a late one costs a minute.
 */
export function standingOf(
  document: StoredDocument | undefined,
  readTimeMs: number,
  ownerIsGone: (owner: LeaseOwner) => boolean,
): LeaseStanding {
  const lease = parseLease(document);
  if (!document || !lease || lease.state === 'DONE') return 'none';
  if (lease.state === 'RELEASED') return 'released';
  const silentForMs = readTimeMs - document.updateTimeMs;
  return silentForMs > lease.ttlMs || ownerIsGone(lease.owner) ? 'expired' : 'live';
}
