import type { Account } from '../contracts/documents.js';
import type { DocumentPath, StoredDocument, Write } from '../documents/document-store.js';
import { configuredDailyLimit } from './plans.js';

/** A UTC day, `YYYY-MM-DD`. */
export type Day = string;

export function dayOf(epochMs: number): Day {
  return new Date(epochMs).toISOString().slice(0, 10);
}

/** What the ledger says of one account on one day. */
export interface AccountUsage {
  readonly account: Account;
  readonly day: Day;
  readonly limit: number;
  readonly used: number;
  /** Units that may still be reserved; 0 for a closed account. */
  readonly left: number;
  /** Lower is used first. */
  readonly priority: number;
  /** Why nothing may be spent although the count would allow it. */
  readonly closed: string | undefined;
  /** The document this was read from; `undefined`: there was none. */
  readonly version: string | undefined;
}

/**
 * Reads `chart_img_accounts_usage/{accountId}`, which the Python worker shares. Another day in the
 * past starts at 0. A window in the future was opened by a fast clock: what was used today is no
 * longer known, so nothing is spent until that day has come. Junk closes the account: to guess a
 * count is to overspend it.
 */
export function readUsage(
  account: Account,
  document: StoredDocument | undefined,
  day: Day,
): AccountUsage {
  const data = document?.data ?? {};
  const { usageToday = 0, windowStart, dailyLimit, priority, exhaustedOn } = data;
  const limit = dailyLimit ?? configuredDailyLimit(account);
  const effectivePriority = priority ?? account.priority ?? 0;
  const base = { account, day, version: document?.version };

  const junk = [
    !isCount(usageToday) && 'usageToday is not a count',
    !isCount(limit) && 'dailyLimit is not a count',
    !Number.isInteger(effectivePriority) && 'priority is not an integer',
    windowStart !== undefined && windowDay(windowStart) === undefined && 'windowStart is no time',
    exhaustedOn !== undefined && !isDay(exhaustedOn) && 'exhaustedOn is no day',
  ].find((reason) => reason !== false);
  if (junk !== undefined || !isCount(usageToday) || !isCount(limit)) {
    const closed = `its usage document cannot be read: ${junk}`;
    return { ...base, limit: 0, used: 0, left: 0, priority: 0, closed };
  }

  const window = windowDay(windowStart);
  const used = window === undefined || window < day ? 0 : usageToday;
  const closed =
    window !== undefined && window > day
      ? `its window starts in the future (${window})`
      : isDay(exhaustedOn) && exhaustedOn >= day
        ? 'Chart-IMG said that today’s quota is gone'
        : undefined;
  const left = closed === undefined ? Math.max(0, limit - used) : 0;
  return { ...base, limit, used, left, priority: Number(effectivePriority), closed };
}

/** Counts `units` as spent (negative: given back), only if nobody touched the document since. */
export function usageWrite(path: DocumentPath, usage: AccountUsage, units: number): Write {
  return guarded(path, usage, Math.max(0, usage.used + units), []);
}

/** Says that Chart-IMG has nothing left for this account today, whatever we had counted. */
export function exhaustedWrite(path: DocumentPath, usage: AccountUsage): Write {
  return guarded(path, usage, Math.max(usage.used, usage.limit), [[['exhaustedOn'], usage.day]]);
}

function guarded(
  path: DocumentPath,
  usage: AccountUsage,
  usageToday: number,
  more: readonly (readonly [[string], unknown])[],
): Write {
  return {
    kind: 'patch',
    path,
    when: usage.version === undefined ? { absent: true } : { version: usage.version },
    fields: [[['usageToday'], usageToday], [['windowStart'], `${usage.day}T00:00:00Z`], ...more],
  };
}

/** RFC 3339, a space for its `T` allowed. `Date.parse` alone takes `foo 1` for a day in 2001. */
const TIME = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

function windowDay(windowStart: unknown): Day | undefined {
  if (typeof windowStart !== 'string' || !TIME.test(windowStart)) return undefined;
  const epochMs = Date.parse(windowStart.replace(' ', 'T'));
  return Number.isNaN(epochMs) ? undefined : dayOf(epochMs);
}

function isDay(value: unknown): value is Day {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value);
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0;
}
