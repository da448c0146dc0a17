import { deal } from '../accounts/dealing.js';
import { Pacing, unpaced } from '../accounts/pacing.js';
import type { ChartNeeds } from '../accounts/plans.js';
import { forOnDemand, stopCount } from '../accounts/thresholds.js';
import { type AccountUsage, dayOf, readUsage, usageWrite } from '../accounts/usage.js';
import { counted } from '../counted.js';
import type { Reading } from '../documents/document-store.js';
import { paths } from '../documents/paths.js';
import type { EngineDeps } from '../engine/deps.js';
import type { Reservation } from './key-lease.js';
import type { LibraryError } from './library.js';

/** One unit, reserved as soon as its writes are committed. */
export interface PaidUnit extends Reservation {
  readonly paidBy: AccountUsage;
}

const DAY_MS = 86_400_000;

/** Who pays for charts on demand: of each account, what steps do not keep for themselves. */
export class OnDemandQuota {
  /** Accounts whose key was not accepted; they are not asked again by this process. */
  readonly badKeys = new Set<string>();
  /** 429s of unknown text in a row, by account id: whoever draws next counts on. */
  readonly unsure = new Map<string, number>();
  /** `undefined`: nobody counts requests a second. */
  readonly pacing: Pacing | undefined;
  readonly #deps: Pick<EngineDeps, 'accounts' | 'clock'>;

  constructor(deps: EngineDeps) {
    this.#deps = deps;
    this.pacing = deps.settings.isLive ? new Pacing() : undefined;
  }

  /** Of a reading that holds every account's usage; or why nobody pays. */
  unit(needs: ChartNeeds, reading: Reading): PaidUnit | LibraryError {
    const { accounts, clock } = this.#deps;
    const day = dayOf(reading.readTimeMs);
    const usages = accounts
      .filter(({ id }) => !this.badKeys.has(id))
      .map((account) => readUsage(account, reading.get(paths.usage(account.id)), day));
    if (usages.length === 0) {
      const message = "no account's key was accepted; check the apiKey of the accounts";
      return { code: 'CHART_API_FAILED', message };
    }
    const { pacing } = this;
    const nowMs = clock.monotonic();
    const waitOf = pacing
      ? (account: AccountUsage['account']) => pacing.earliestMs(account, nowMs) - nowMs
      : unpaced;
    const [id] = deal([needs], usages.map(forOnDemand), waitOf).keys();
    const paidBy = usages.find(({ account }) => account.id === id);
    if (!paidBy) return rateLimited(usages, reading.readTimeMs);
    return {
      reserved: { [paidBy.account.id]: { day, units: 1 } },
      writes: [usageWrite(paths.usage(paidBy.account.id), paidBy, 1)],
      paidBy,
    };
  }
}

/** When the day of this moment is over; RFC 3339. */
export function resetOf(nowMs: number): string {
  return new Date((Math.floor(nowMs / DAY_MS) + 1) * DAY_MS).toISOString();
}

/** Says which of the limits it was: the day's, or the share that is kept for steps. */
function rateLimited(usages: readonly AccountUsage[], nowMs: number): LibraryError {
  const resetsAt = resetOf(nowMs);
  const minutes = Math.ceil((Date.parse(resetsAt) - nowMs) / 60_000);
  const wait = `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  const until = `a new day begins in ${wait}, at 00:00 UTC`;
  const sum = (countOf: (usage: AccountUsage) => number) =>
    usages.reduce((all, usage) => all + countOf(usage), 0);
  const kept = sum((usage) => usage.left - forOnDemand(usage).left);
  const message =
    kept > 0
      ? `on-demand work stops for today at ${sum(stopCount)} of ${sum(({ limit }) => limit)} charts: what is left, ${counted(kept, 'chart')}, is for steps; ${until}`
      : `no account has quota left that could draw it today; ${until}`;
  return { code: 'RATE_LIMITED', message, details: { resetsAt } };
}
