import { expect, test } from 'vitest';
import { forOnDemand, stopCount, warnCount } from '../../src/accounts/thresholds.js';
import { readUsage } from '../../src/accounts/usage.js';
import type { Account } from '../../src/contracts/documents.js';

const DAY = '2025-12-21';

function usageOf(account: Partial<Account>, used: number) {
  const data = { usageToday: used, windowStart: `${DAY}T00:00:00Z` };
  const document = { data, version: '1', updateTimeMs: 0 };
  return readUsage({ id: 'a', apiKey: 'k', ...account }, document, DAY);
}

test.each([
  [{ dailyLimit: 20 }, 0, [16, 19, 19]],
  [{ dailyLimit: 20 }, 18, [16, 19, 1]],
  [{ dailyLimit: 20 }, 20, [16, 19, 0]],
  [{}, 40, [36, 41, 1]],
  [{ dailyLimit: 1 }, 0, [1, 0, 0]],
  [{ dailyLimit: 0 }, 0, [0, 0, 0]],
  [{ dailyLimit: 100, warnAt: 0.5, stopAt: 0.7 }, 0, [50, 70, 70]],
  [{ dailyLimit: 10, stopAt: 1 }, 4, [8, 10, 6]],
  [{ dailyLimit: 10, stopAt: 0 }, 0, [8, 0, 0]],
] as const)('%o with %i used warns from, stops at, leaves on demand: %j', (account, used, told) => {
  const usage = usageOf(account, used);
  expect([warnCount(usage), stopCount(usage), forOnDemand(usage).left]).toEqual(told);
});

test('what is closed stays closed', () => {
  expect(forOnDemand({ ...usageOf({ dailyLimit: 20 }, 1), left: 0 }).left).toBe(0);
});
