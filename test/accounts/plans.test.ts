import { describe, expect, test } from 'vitest';
import {
  type ChartNeeds,
  canDraw,
  configuredDailyLimit,
  largestPlan,
  mostOf,
  type PlanName,
  plansAtHand,
  smallestPlanFor,
} from '../../src/accounts/plans.js';
import type { Account } from '../../src/contracts/documents.js';

function account(fields: Partial<Account> = {}): Account {
  return { id: 'acc-1', apiKey: 'not-a-key', ...fields };
}

const PLANS: readonly (readonly [PlanName, number, ChartNeeds])[] = [
  ['BASIC', 47, { width: 800, height: 600, parameters: 3 }],
  ['PRO', 475, { width: 1920, height: 1080, parameters: 5 }],
  ['MEGA', 950, { width: 1920, height: 1600, parameters: 10 }],
  ['ULTRA', 2_850, { width: 2048, height: 1920, parameters: 25 }],
  ['ENTERPRISE', 4_750, { width: 2048, height: 1920, parameters: 50 }],
];

describe.each(PLANS)('%s', (plan, dailyLimit, most) => {
  test('spends 95 % of its day, or what the account says', () => {
    expect(configuredDailyLimit(account({ plan }))).toBe(dailyLimit);
    expect(configuredDailyLimit(account({ plan, dailyLimit: 7 }))).toBe(7);
    expect(configuredDailyLimit(account({ plan, dailyLimit: 0 }))).toBe(0);
  });

  test('draws what fits, and nothing a pixel or a study larger', () => {
    expect(canDraw(account({ plan }), most)).toBe(true);
    for (const field of ['width', 'height', 'parameters'] as const) {
      const more = { ...most, [field]: most[field] + 1 };
      expect(canDraw(account({ plan }), more), field).toBe(false);
    }
  });

  test('draws at most that', () => {
    expect(mostOf(plan)).toEqual(most);
  });

  test('is the smallest for what just fits', () => {
    expect(smallestPlanFor(most)).toBe(plan);
  });
});

describe('an account that names no plan', () => {
  test('spends 44 a day, or what it says', () => {
    expect(configuredDailyLimit(account())).toBe(44);
    expect(configuredDailyLimit(account({ dailyLimit: 5_000 }))).toBe(5_000);
  });

  test('is taken at its word', () => {
    expect(canDraw(account(), { width: 9_000, height: 9_000, parameters: 99 })).toBe(true);
  });
});

describe('the smallest plan', () => {
  test.each([
    [{ width: 1, height: 1, parameters: 0 }, 'BASIC'],
    [{ width: 801, height: 600, parameters: 3 }, 'PRO'],
    [{ width: 800, height: 601, parameters: 0 }, 'PRO'],
    [{ width: 800, height: 600, parameters: 4 }, 'PRO'],
    [{ width: 800, height: 1081, parameters: 1 }, 'MEGA'],
    [{ width: 1921, height: 600, parameters: 1 }, 'ULTRA'],
    [{ width: 400, height: 300, parameters: 26 }, 'ENTERPRISE'],
    [{ width: 2049, height: 300, parameters: 1 }, undefined],
    [{ width: 400, height: 1921, parameters: 1 }, undefined],
    [{ width: 400, height: 300, parameters: 51 }, undefined],
  ])('for %j is %s', (needs, plan) => {
    expect(smallestPlanFor(needs)).toBe(plan);
  });
});

describe('the plans at hand', () => {
  test('are those that the accounts name, each once', () => {
    const plans = (['PRO', 'BASIC', 'PRO'] as const).map((plan) => account({ plan }));
    expect(plansAtHand(plans)).toEqual(['PRO', 'BASIC']);
  });

  test('are unknown where one account names none, or there is none', () => {
    expect(plansAtHand([account({ plan: 'BASIC' }), account()])).toEqual([]);
    expect(plansAtHand([])).toEqual([]);
  });

  test('have a largest, whatever their order', () => {
    expect(largestPlan(['BASIC', 'ULTRA', 'MEGA'])).toBe('ULTRA');
    expect(largestPlan([])).toBeUndefined();
  });
});
