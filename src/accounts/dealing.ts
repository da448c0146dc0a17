import { type ChartNeeds, canDraw } from './plans.js';
import type { AccountUsage } from './usage.js';

/** Units by account id. */
export type Units = ReadonlyMap<string, number>;

/**
 * Deals one unit to each chart, from the lowest priority that has any left, ties by most left.
 * An account whose plan cannot draw a chart is not asked to; the charts that fewest accounts can
 * draw come first, so that no small one takes a large one's only unit. Pure; charts for which nobody
 * has a unit get none.
 */
export function deal(charts: readonly ChartNeeds[], accounts: readonly AccountUsage[]): Units {
  const dealt = new Map<string, number>();
  const able = (needs: ChartNeeds) =>
    accounts.filter(({ account }) => canDraw(account, needs)).length;
  for (const needs of charts.toSorted((a, b) => able(a) - able(b))) {
    const best = accounts
      .map((usage) => ({ usage, left: usage.left - (dealt.get(usage.account.id) ?? 0) }))
      .filter(({ usage, left }) => left > 0 && canDraw(usage.account, needs))
      .sort((a, b) => a.usage.priority - b.usage.priority || b.left - a.left)[0];
    if (!best) continue;
    const { id } = best.usage.account;
    dealt.set(id, (dealt.get(id) ?? 0) + 1);
  }
  return dealt;
}

export function total(units: Units): number {
  return [...units.values()].reduce((sum, count) => sum + count, 0);
}
