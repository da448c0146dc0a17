import type { Account } from '../contracts/documents.js';
import type { AccountUsage } from './usage.js';

/** 0.95 of 20 is 19, whatever floating point makes of it. */
const ROUNDING = 1e-9;

/** Shares of a day's limit. */
interface Thresholds {
  /** From here on people want to know before it is too late. */
  readonly warnAt: number;
  /** Here on-demand work stops; what is left is for steps. */
  readonly stopAt: number;
}

function thresholdsOf({ warnAt = 0.8, stopAt = 0.95 }: Account): Thresholds {
  return { warnAt, stopAt };
}

/** The count from which on a warning is due. */
export function warnCount({ account, limit }: Pick<AccountUsage, 'account' | 'limit'>): number {
  return Math.max(0, Math.ceil(limit * thresholdsOf(account).warnAt - ROUNDING));
}

/** What is left of an account for on-demand work: nothing of the steps' reserve. */
export function forOnDemand(usage: AccountUsage): AccountUsage {
  return { ...usage, left: Math.max(0, Math.min(usage.left, stopCount(usage) - usage.used)) };
}

/** The count at which on-demand work stops. */
export function stopCount({ account, limit }: Pick<AccountUsage, 'account' | 'limit'>): number {
  return Math.floor(limit * thresholdsOf(account).stopAt + ROUNDING);
}
