import type { Account } from '../contracts/documents.js';
import type { AccountUsage } from './usage.js';

/** Shares of a day's limit. */
export interface Thresholds {
  /** From here on people want to know before it is too late. */
  readonly warnAt: number;
  /** Here on-demand work stops; what is left is for steps. */
  readonly stopAt: number;
}

export function thresholdsOf({ warnAt = 0.8, stopAt = 0.95 }: Account): Thresholds {
  return { warnAt, stopAt };
}

/** Whether so much of a day's limit is used that it deserves a warning. */
export function isWorthAWarning(account: Account, used: number, limit: number): boolean {
  return used >= limit * thresholdsOf(account).warnAt;
}

/** What is left of an account for on-demand work: nothing of the steps' reserve. */
export function forOnDemand(usage: AccountUsage): AccountUsage {
  return { ...usage, left: Math.max(0, Math.min(usage.left, stopCount(usage) - usage.used)) };
}

/** The count at which on-demand work stops; 0.95 of 20 is 19, whatever floating point makes of it. */
export function stopCount({ account, limit }: Pick<AccountUsage, 'account' | 'limit'>): number {
  return Math.floor(limit * thresholdsOf(account).stopAt + 1e-9);
}
