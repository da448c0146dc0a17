import type { Account } from '../contracts/documents.js';
import { type ChartNeeds, canDraw, planRank } from './plans.js';
import type { Day } from './usage.js';

/** What one claim has reserved, as its lease records it: units of a day by account id. */
export type Reserved = Readonly<Record<string, { readonly day: Day; readonly units: number }>>;

/**
 * This process's use of what its claim reserved. Every request sent takes one unit, before it is
 * sent, of the very day it is sent on.
 */
export class Spending {
  readonly #accounts: readonly Account[];
  readonly #sent = new Map<string, { day: Day; units: number }>();
  readonly #closed = new Set<string>();
  #reserved: Reserved;

  constructor(accounts: readonly Account[], reserved: Reserved) {
    this.#accounts = accounts;
    this.#reserved = reserved;
  }

  /**
   * Who pays for a chart from what is reserved today: whoever can send earliest, ties by the
   * smallest plan that will do, then by most unsent. `undefined`: reserve more, or give up.
   */
  payer(
    needs: ChartNeeds,
    not: ReadonlySet<string>,
    today: Day,
    earliestMs: (account: Account) => number,
  ): Account | undefined {
    return this.open(needs, not)
      .filter(({ id }) => this.#reserved[id]?.day === today && this.unsent(id) > 0)
      .sort(
        (a, b) =>
          earliestMs(a) - earliestMs(b) || byRank(a, b) || this.unsent(b.id) - this.unsent(a.id),
      )[0];
  }

  /** Takes one of the account's units of today; the request leaves at once. */
  spend({ id }: Account, today: Day): void {
    const sent = this.#sent.get(id);
    this.#sent.set(id, { day: today, units: (sent?.day === today ? sent.units : 0) + 1 });
  }

  /** Gives a unit back whose request surely never left; not across a day. */
  unspend({ id }: Account, day: Day): void {
    const sent = this.#sent.get(id);
    if (sent?.day === day && sent.units > 0) this.#sent.set(id, { day, units: sent.units - 1 });
  }

  /** The accounts that may still be asked for this chart. */
  open(needs: ChartNeeds, not: ReadonlySet<string>): Account[] {
    return this.#accounts.filter(
      (account) => !this.#closed.has(account.id) && !not.has(account.id) && canDraw(account, needs),
    );
  }

  /** The account is not asked again by this process. */
  close(accountId: string): void {
    this.#closed.add(accountId);
  }

  /** Takes over what the lease says after a commit that moved quota. */
  reservedNow(reserved: Reserved): void {
    this.#reserved = reserved;
  }

  /** Units that were reserved and surely never sent. */
  unsent(accountId: string): number {
    const reserved = this.#reserved[accountId];
    if (!reserved) return 0;
    const sent = this.#sent.get(accountId);
    return reserved.units - (sent?.day === reserved.day ? sent.units : 0);
  }

  get reserved(): Reserved {
    return this.#reserved;
  }
}

function byRank(a: Account, b: Account): number {
  const [one, other] = [planRank(a), planRank(b)];
  return one === other ? 0 : one - other;
}
