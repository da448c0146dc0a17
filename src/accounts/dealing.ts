import type { Account } from '../contracts/documents.js';
import { type ChartNeeds, canDraw } from './plans.js';
import type { AccountUsage } from './usage.js';

/** Units by account id. */
export type Units = ReadonlyMap<string, number>;

/** How long an account's next chart waits for its turn when so many go before it; milliseconds. */
export type WaitOf = (account: Account, before: number) => number;

/**
 * Deals one unit to each chart: within the lowest priority that has any left, to the account that
 * can send it earliest, ties by most left. An account whose plan cannot draw a chart is not asked
 * to; the charts that fewest accounts can draw come first, so that no small one takes a large one's
 * only unit. Pure; charts for which nobody has a unit get none.
 */
export function deal(
  charts: readonly ChartNeeds[],
  accounts: readonly AccountUsage[],
  waitOf: WaitOf,
): Units {
  const dealt = new Map<string, number>();
  const dealtTo = ({ account }: AccountUsage) => dealt.get(account.id) ?? 0;
  const leftOf = (usage: AccountUsage) => usage.left - dealtTo(usage);
  const waitFor = (usage: AccountUsage) => waitOf(usage.account, dealtTo(usage));
  const able = (needs: ChartNeeds) =>
    accounts.filter(({ account }) => canDraw(account, needs)).length;
  for (const needs of charts.toSorted((a, b) => able(a) - able(b))) {
    const best = accounts
      .filter((usage) => leftOf(usage) > 0 && canDraw(usage.account, needs))
      .sort(
        (a, b) => a.priority - b.priority || waitFor(a) - waitFor(b) || leftOf(b) - leftOf(a),
      )[0];
    if (best) dealt.set(best.account.id, dealtTo(best) + 1);
  }
  return dealt;
}

export function total(units: Units): number {
  return [...units.values()].reduce((sum, count) => sum + count, 0);
}
