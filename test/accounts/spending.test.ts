import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChartNeeds } from '../../src/accounts/plans.js';
import { type Reserved, Spending } from '../../src/accounts/spending.js';
import type { Account } from '../../src/contracts/documents.js';

const SMALL = { width: 800, height: 600, parameters: 1 };
const LARGE = { width: 1920, height: 1080, parameters: 5 };
const NOBODY: ReadonlySet<string> = new Set();
const DAYS = ['2025-12-20', '2025-12-21', '2025-12-22'] as const;
const [YESTERDAY, TODAY, TOMORROW] = DAYS;

const ACCOUNTS: readonly Account[] = ['a', 'b', 'c'].map((id) => ({ id, apiKey: `key-of-${id}` }));

/** A unit of today, spent at once, where nobody has to wait. */
function take(spending: Spending, needs: ChartNeeds, not: ReadonlySet<string>, today: string) {
  const payer = spending.payer(needs, not, today, () => 0);
  if (payer) spending.spend(payer, today);
  return payer;
}

describe('a unit', () => {
  test('is of the account with most unsent ones', () => {
    const spending = new Spending(ACCOUNTS, {
      a: { day: TODAY, units: 1 },
      b: { day: TODAY, units: 3 },
    });
    const ids = Array.from({ length: 5 }, () => take(spending, SMALL, NOBODY, TODAY)?.id);
    expect(ids).toEqual(['b', 'b', expect.stringMatching(/^[ab]$/), expect.any(String), undefined]);
    expect(ids.filter((id) => id === 'b')).toHaveLength(3);
  });

  test('is not of another day', () => {
    const spending = new Spending(ACCOUNTS, { a: { day: TODAY, units: 2 } });
    expect(take(spending, SMALL, NOBODY, TOMORROW)).toBeUndefined();
    expect(take(spending, SMALL, NOBODY, YESTERDAY)).toBeUndefined();
    expect(spending.unsent('a')).toBe(2);
  });

  test('is not of an account that turned the chart away, was closed, or cannot draw it', () => {
    const basic: Account = { id: 'basic', apiKey: 'k', plan: 'BASIC' };
    const spending = new Spending([...ACCOUNTS, basic], {
      a: { day: TODAY, units: 9 },
      b: { day: TODAY, units: 8 },
      basic: { day: TODAY, units: 7 },
    });
    expect(take(spending, LARGE, new Set(['a']), TODAY)?.id).toBe('b');
    spending.close('b');
    expect(spending.open(SMALL, new Set(['a'])).map(({ id }) => id)).toEqual(['c', 'basic']);
    expect(take(spending, LARGE, new Set(['a']), TODAY)).toBeUndefined();
    expect(take(spending, LARGE, NOBODY, TODAY)?.id).toBe('a');
  });

  test('is of the smallest plan that will do: a larger one may be needed yet', () => {
    const plans = (['MEGA', 'BASIC', 'PRO'] as const).map((plan) => ({
      id: plan,
      apiKey: 'k',
      plan,
    }));
    const reserved = Object.fromEntries(plans.map(({ id }) => [id, { day: TODAY, units: 1 }]));
    const spending = new Spending(plans, reserved);
    const order = [SMALL, SMALL, SMALL].map((needs) => take(spending, needs, NOBODY, TODAY)?.id);
    expect(order).toEqual(['BASIC', 'PRO', 'MEGA']);
  });

  test('that surely never left can be taken again, on its own day', () => {
    const [account] = ACCOUNTS as [Account];
    const spending = new Spending(ACCOUNTS, { a: { day: TODAY, units: 1 } });
    spending.unspend(account, TODAY);
    expect(spending.unsent('a')).toBe(1);
    take(spending, SMALL, NOBODY, TODAY);
    spending.unspend(account, TOMORROW);
    expect(spending.unsent('a')).toBe(0);
    spending.unspend(account, TODAY);
    expect(take(spending, SMALL, NOBODY, TODAY)?.id).toBe('a');
  });

  test('that was taken yesterday is not missing today', () => {
    const spending = new Spending(ACCOUNTS, { a: { day: YESTERDAY, units: 1 } });
    expect(take(spending, SMALL, NOBODY, YESTERDAY)?.id).toBe('a');
    spending.reservedNow({ a: { day: TODAY, units: 1 } });
    expect(spending.unsent('a')).toBe(1);
    expect(take(spending, SMALL, NOBODY, TODAY)?.id).toBe('a');
    expect(take(spending, SMALL, NOBODY, TODAY)).toBeUndefined();
  });

  test('of an account that is not in the lease is never there', () => {
    const spending = new Spending(ACCOUNTS, {});
    expect(take(spending, SMALL, NOBODY, TODAY)).toBeUndefined();
    expect([spending.unsent('a'), spending.unsent('nobody')]).toEqual([0, 0]);
  });
});

/** What can happen to one process's units. */
const ids = fc.constantFrom('a', 'b', 'c');
/** Often of the day it is. */
const days = fc.oneof({ weight: 4, arbitrary: fc.constant('today') }, fc.constantFrom(...DAYS));
const commands = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('take' as const),
        on: days,
        not: fc.oneof(fc.constant<string[]>([]), fc.subarray(['a', 'b', 'c'])),
      }),
    },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('reserve' as const), id: ids }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('midnight' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const), id: ids }) },
  ),
  { maxLength: 40, size: 'max' },
);

test('no account sends more on a day than was reserved for it, and the rest is unsent', () => {
  fc.assert(
    fc.property(commands, (steps) => {
      let reserved: Reserved = {};
      let today = 0;
      const closed = new Set<string>();
      const taken = new Map<string, number>();
      const spending = new Spending(ACCOUNTS, reserved);
      const takenOf = (id: string) => taken.get(`${id} ${reserved[id]?.day}`) ?? 0;

      for (const step of steps) {
        switch (step.kind) {
          case 'midnight':
            today = Math.min(today + 1, DAYS.length - 1);
            break;
          case 'close':
            spending.close(step.id);
            closed.add(step.id);
            break;
          case 'reserve': {
            const day = DAYS[today] as string;
            const before = reserved[step.id];
            const units = (before?.day === day ? before.units : 0) + 1;
            reserved = { ...reserved, [step.id]: { day, units } };
            spending.reservedNow(reserved);
            break;
          }
          case 'take': {
            const day = step.on === 'today' ? (DAYS[today] as string) : step.on;
            const could = Object.entries(reserved).some(
              ([id, { day: reservedFor, units }]) =>
                reservedFor === day &&
                units > takenOf(id) &&
                !closed.has(id) &&
                !step.not.includes(id),
            );
            const id = take(spending, SMALL, new Set(step.not), day)?.id;
            expect(id !== undefined).toBe(could);
            if (id === undefined) break;
            expect(closed.has(id) || step.not.includes(id)).toBe(false);
            expect(reserved[id]?.day).toBe(day);
            taken.set(`${id} ${day}`, takenOf(id) + 1);
          }
        }
        const unsent = ACCOUNTS.map(({ id }) => (reserved[id]?.units ?? 0) - takenOf(id));
        expect(ACCOUNTS.map(({ id }) => spending.unsent(id))).toEqual(unsent);
        expect(Math.min(...unsent)).toBeGreaterThanOrEqual(0);
        expect(spending.reserved).toBe(reserved);
      }
    }),
  );
});
