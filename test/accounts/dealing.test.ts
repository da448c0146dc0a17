import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deal, total, type Units } from '../../src/accounts/dealing.js';
import { fromRest, unpaced } from '../../src/accounts/pacing.js';
import { type ChartNeeds, canDraw } from '../../src/accounts/plans.js';
import type { AccountUsage } from '../../src/accounts/usage.js';
import type { Account } from '../../src/contracts/documents.js';

const SMALL: ChartNeeds = { width: 800, height: 600, parameters: 1 };
const LARGE: ChartNeeds = { width: 1920, height: 1080, parameters: 5 };

function usage(
  id: string,
  left: number,
  { priority = 0, plan }: { priority?: number; plan?: Account['plan'] } = {},
): AccountUsage {
  return {
    account: { id, apiKey: `key-of-${id}`, ...(plan && { plan }) },
    day: '2025-12-21',
    limit: left,
    used: 0,
    left,
    priority,
    closed: undefined,
    version: undefined,
  };
}

function dealt(charts: readonly ChartNeeds[], accounts: readonly AccountUsage[]) {
  return Object.fromEntries(deal(charts, accounts, unpaced));
}

describe('a unit', () => {
  test.each([
    [
      'goes to the lower priority first',
      [usage('b', 9, { priority: 2 }), usage('a', 3, { priority: 1 })],
      3,
      { a: 3 },
    ],
    [
      'goes on to the next priority',
      [usage('b', 9, { priority: 2 }), usage('a', 3, { priority: 1 })],
      5,
      { a: 3, b: 2 },
    ],
    [
      'may be of a priority below zero',
      [usage('b', 9), usage('a', 3, { priority: -1 })],
      2,
      { a: 2 },
    ],
    ['goes to the one with most left', [usage('a', 1), usage('b', 3)], 2, { b: 2 }],
    ['goes in turn where as many are left', [usage('a', 4), usage('b', 4)], 4, { a: 2, b: 2 }],
    ['goes to nobody where none are left', [usage('a', 0), usage('b', 1)], 3, { b: 1 }],
    ['goes to nobody without accounts', [], 2, {}],
  ])('%s', (_what, accounts, charts, units) => {
    expect(dealt(Array(charts).fill(SMALL), accounts)).toEqual(units);
  });

  test('is not of an account whose plan is too small', () => {
    const accounts = [
      usage('basic', 9, { plan: 'BASIC' }),
      usage('pro', 9, { plan: 'PRO', priority: 1 }),
    ];
    expect(dealt([LARGE, SMALL, LARGE], accounts)).toEqual({ basic: 1, pro: 2 });
    expect(dealt([LARGE], [usage('basic', 9, { plan: 'BASIC' })])).toEqual({});
  });
});

const plans = fc.constantFrom(undefined, 'BASIC', 'PRO', 'MEGA', 'ULTRA', 'ENTERPRISE');
const accountLists = fc
  .array(fc.tuple(fc.nat(6), fc.integer({ min: -2, max: 2 }), plans), { maxLength: 5 })
  .map((rows) =>
    rows.map(([left, priority, plan]: [number, number, Account['plan']], n) =>
      usage(`acc-${n}`, left, { priority, plan }),
    ),
  );
const chartLists = fc.array(
  fc.record({
    width: fc.integer({ min: 400, max: 2100 }),
    height: fc.integer({ min: 300, max: 2000 }),
    parameters: fc.nat(60),
  }),
  { maxLength: 20 },
);

describe('whatever the charts and accounts', () => {
  test('nobody gives more than is left, nor a chart more than one', () => {
    fc.assert(
      fc.property(chartLists, accountLists, (charts, accounts) => {
        const units = deal(charts, accounts, unpaced);
        for (const [id, count] of units) {
          const left = accounts.find(({ account }) => account.id === id)?.left ?? 0;
          expect(count).toBeGreaterThan(0);
          expect(count).toBeLessThanOrEqual(left);
        }
        expect(total(units)).toBeLessThanOrEqual(charts.length);
      }),
    );
  });

  test('a chart goes without only if all who could draw it have nothing left', () => {
    fc.assert(
      fc.property(chartLists, accountLists, (charts, accounts) => {
        const units = deal(charts, accounts, unpaced);
        const unserved = charts.length - total(units);
        const open = accounts.filter((candidate) => leftAfter(units, candidate) > 0);
        const drawable = charts.filter((needs) =>
          open.some(({ account }) => canDraw(account, needs)),
        );
        // Whoever still has units could not have drawn any of those that went without.
        expect(unserved).toBeLessThanOrEqual(charts.length - drawable.length);
      }),
    );
  });

  test('a small chart does not take the only unit that would do for a large one', () => {
    const accounts = [usage('pro', 1, { plan: 'PRO' }), usage('basic', 1, { plan: 'BASIC' })];
    const both = { pro: 1, basic: 1 };
    expect(dealt([SMALL, LARGE], accounts)).toEqual(both);
    expect(dealt([LARGE, SMALL], accounts)).toEqual(both);
  });
});

describe('where the provider counts requests a second', () => {
  const charts = (count: number) => Array.from({ length: count }, () => SMALL);
  const units = (count: number, accounts: AccountUsage[]) =>
    Object.fromEntries(deal(charts(count), accounts, fromRest));

  test('equal accounts get equal shares, whatever is left of them', () => {
    const accounts = [usage('a', 40), usage('b', 30), usage('c', 20)];
    expect(units(12, accounts)).toEqual({ a: 4, b: 4, c: 4 });
  });

  test('a faster plan gets as much more', () => {
    const accounts = [usage('basic', 90, { plan: 'BASIC' }), usage('pro', 400, { plan: 'PRO' })];
    const { basic = 0, pro = 0 } = units(73, accounts);
    expect(basic + pro).toBe(73);
    expect(pro).toBe(73 - basic);
    // 15 + 10 a second against 3 + 1 a second: even at 5 s.
    expect(basic).toBeGreaterThanOrEqual(7);
    expect(basic).toBeLessThanOrEqual(9);
  });

  test('a lower priority is still used up first', () => {
    const accounts = [usage('first', 9), usage('spare', 90, { priority: 1, plan: 'ULTRA' })];
    expect(units(12, accounts)).toEqual({ first: 9, spare: 3 });
  });
});

describe('where all can draw all', () => {
  const anyPlan = accountLists.map((accounts) =>
    accounts.map((one) => ({ ...one, account: { id: one.account.id, apiKey: 'k' } })),
  );

  test('as many charts are served as there are units', () => {
    fc.assert(
      fc.property(chartLists, anyPlan, (charts, accounts) => {
        const left = accounts.reduce((sum, one) => sum + one.left, 0);
        expect(total(deal(charts, accounts, unpaced))).toBe(Math.min(left, charts.length));
      }),
    );
  });

  test('a higher priority gives nothing while a lower one has units', () => {
    fc.assert(
      fc.property(chartLists, anyPlan, (charts, accounts) => {
        const units = deal(charts, accounts, unpaced);
        const priorities = accounts
          .filter(({ account }) => units.has(account.id))
          .map(({ priority }) => priority);
        const highest = Math.max(...priorities);
        const passedOver = accounts.filter(
          (one) => one.priority < highest && leftAfter(units, one) > 0,
        );
        expect(passedOver).toEqual([]);
      }),
    );
  });
});

function leftAfter(units: Units, { account, left }: AccountUsage): number {
  return left - (units.get(account.id) ?? 0);
}
