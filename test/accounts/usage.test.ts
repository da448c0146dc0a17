import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dayOf, exhaustedWrite, readUsage, usageWrite } from '../../src/accounts/usage.js';
import type { Account, JsonObject } from '../../src/contracts/documents.js';

const ACCOUNT: Account = { id: 'acc-1', apiKey: 'not-a-key', dailyLimit: 44, priority: 3 };
const TODAY = '2025-12-21';
const TODAY_START = `${TODAY}T00:00:00Z`;
const PATH = 'chart_img_accounts_usage/acc-1';

function usageOf(data: JsonObject | undefined, account = ACCOUNT) {
  return readUsage(account, data && { data, version: 'v7', updateTimeMs: 0 }, TODAY);
}

describe('the count of a day', () => {
  test('begins at 0 where there is no document', () => {
    expect(usageOf(undefined)).toEqual({
      account: ACCOUNT,
      day: TODAY,
      limit: 44,
      used: 0,
      left: 44,
      priority: 3,
      closed: undefined,
      version: undefined,
    });
  });

  test.each([
    ['without a window', { usageToday: 40 }, 0],
    ['of yesterday', { usageToday: 40, windowStart: '2025-12-20T00:00:00Z' }, 0],
    ['of the last second of yesterday', { usageToday: 40, windowStart: '2025-12-20T23:59:59Z' }, 0],
    ['of last year', { usageToday: 40, windowStart: '2024-12-31T00:00:00Z' }, 0],
    ['of today', { usageToday: 40, windowStart: TODAY_START }, 40],
    ['of today, later', { usageToday: 40, windowStart: '2025-12-21T23:59:59.999Z' }, 40],
    ['of today, from Python', { usageToday: 40, windowStart: '2025-12-21T00:00:00+00:00' }, 40],
    ['with microseconds', { usageToday: 40, windowStart: '2025-12-21T00:00:00.123456+00:00' }, 40],
    ['of another zone’s today', { usageToday: 40, windowStart: '2025-12-20T23:00:00-02:00' }, 40],
    [
      'of another zone’s yesterday',
      { usageToday: 40, windowStart: '2025-12-21T01:00:00+02:00' },
      0,
    ],
    ['that is not there', { windowStart: TODAY_START }, 0],
  ])('%s', (_what, data, used) => {
    expect(usageOf(data)).toMatchObject({ used, left: 44 - used, closed: undefined });
  });

  test('above the limit leaves nothing', () => {
    expect(usageOf({ usageToday: 50, windowStart: TODAY_START })).toMatchObject({
      used: 50,
      left: 0,
      closed: undefined,
    });
  });

  test('keeps the fields of the Python worker out of the account', () => {
    const theirs = { _lock: { by: 'python' }, updatedBy: 'py-worker', usageTotal: 'many' };
    const data = {
      ...theirs,
      usageToday: 4,
      windowStart: TODAY_START,
      dailyLimit: 50,
      priority: 1,
    };
    expect(usageOf(data)).toEqual({
      account: ACCOUNT,
      day: TODAY,
      limit: 50,
      used: 4,
      left: 46,
      priority: 1,
      closed: undefined,
      version: 'v7',
    });
  });

  test('is limited by document, account and plan in this order', () => {
    const { dailyLimit: _, ...unlimited } = ACCOUNT;
    expect(usageOf({ dailyLimit: 0 })).toMatchObject({ limit: 0, left: 0 });
    expect(usageOf({}, { ...unlimited, plan: 'BASIC' })).toMatchObject({ limit: 47, left: 47 });
    expect(usageOf({}, unlimited)).toMatchObject({ limit: 44, priority: 3 });
    expect(usageOf({}, { id: 'a', apiKey: 'k' })).toMatchObject({ priority: 0 });
  });
});

describe('an account is closed', () => {
  test('while its window is in the future', () => {
    const tomorrow = usageOf({ usageToday: 0, windowStart: '2025-12-22T00:00:00Z' });
    expect(tomorrow).toMatchObject({ left: 0, closed: expect.stringContaining('2025-12-22') });
  });

  test('on the day on which the provider had nothing left, and not after', () => {
    const data = { usageToday: 3, windowStart: TODAY_START };
    const today = usageOf({ ...data, exhaustedOn: TODAY });
    expect(today).toMatchObject({
      used: 3,
      left: 0,
      closed: expect.stringMatching(/quota is gone/),
    });
    expect(usageOf({ ...data, exhaustedOn: '2025-12-20' })).toMatchObject({ left: 41 });
  });

  test.each<JsonObject>([
    { usageToday: 'many' },
    { usageToday: '7' },
    { usageToday: -1 },
    { usageToday: 1.5 },
    { usageToday: null },
    { usageToday: [1] },
    { dailyLimit: -1 },
    { dailyLimit: 0.5 },
    { dailyLimit: '50' },
    { priority: 'low' },
    { priority: 0.5 },
    { windowStart: 'yesterday' },
    { windowStart: '' },
    { windowStart: 1_766_275_200_000 },
    { windowStart: null },
    { windowStart: { _seconds: 1_766_275_200 } },
    { windowStart: '2025-13-45T00:00:00Z' },
    { windowStart: 'foo 1' },
    { windowStart: '1' },
    { windowStart: '+275760-09-13T00:00:00Z' },
    { windowStart: '2025-12-21T00:00:00' },
    { exhaustedOn: 7 },
    { exhaustedOn: 'today' },
  ])('by junk: %j', (data) => {
    const [field = ''] = Object.keys(data);
    const usage = usageOf({ usageToday: 1, windowStart: TODAY_START, ...data });
    expect(usage).toMatchObject({ left: 0, closed: expect.stringContaining(field) });
  });
});

describe('whatever the document says', () => {
  const loose = <T>(value: fc.Arbitrary<T>) => fc.oneof(value, fc.jsonValue());
  const counts = loose(fc.integer({ min: -5, max: 60 }));
  const times = loose(
    fc.constantFrom(TODAY_START, '2025-12-20T00:00:00+00:00', '2025-12-22T00:00:00Z', 'junk'),
  );
  const documents = fc.record(
    {
      usageToday: counts,
      windowStart: times,
      dailyLimit: counts,
      priority: counts,
      exhaustedOn: fc.constantFrom(TODAY, '2025-12-20'),
    },
    { requiredKeys: [] },
  );

  test('what is left is a whole number from 0 to the limit', () => {
    fc.assert(
      fc.property(documents, (data) => {
        const { left, limit, used, priority } = usageOf(data as JsonObject);
        expect([left, limit, used, priority].every(Number.isInteger)).toBe(true);
        expect(left).toBeGreaterThanOrEqual(0);
        expect(left).toBeLessThanOrEqual(limit);
      }),
    );
  });

  test('what is not understood leaves nothing', () => {
    const isCount = (value: unknown) => Number.isInteger(value) && Number(value) >= 0;
    const fields = fc.constantFrom('usageToday', 'dailyLimit', 'windowStart');
    fc.assert(
      fc.property(documents, fields, fc.jsonValue(), (data, field, junk) => {
        fc.pre(field === 'windowStart' ? typeof junk !== 'string' : !isCount(junk));
        // To JSON's null and to nothing alike: the configured limit stands.
        fc.pre(field !== 'dailyLimit' || junk !== null);
        expect(usageOf({ ...(data as JsonObject), [field]: junk })).toMatchObject({
          left: 0,
          closed: expect.any(String),
        });
      }),
    );
  });
});

describe('what is written', () => {
  const before = usageOf({ usageToday: 5, windowStart: TODAY_START, note: 'theirs' });

  test('is the count and its window, under the version that was read', () => {
    expect(usageWrite(PATH, before, 3)).toEqual({
      kind: 'patch',
      path: PATH,
      when: { version: 'v7' },
      fields: [
        [['usageToday'], 8],
        [['windowStart'], TODAY_START],
      ],
    });
  });

  test('creates the document where there was none', () => {
    expect(usageWrite(PATH, usageOf(undefined), 1)).toMatchObject({
      when: { absent: true },
      fields: [[['usageToday'], 1], expect.anything()],
    });
  });

  test('opens the window of a new day', () => {
    const old = usageOf({ usageToday: 44, windowStart: '2025-12-20T00:00:00+00:00' });
    expect(usageWrite(PATH, old, 2)).toMatchObject({
      fields: [
        [['usageToday'], 2],
        [['windowStart'], TODAY_START],
      ],
    });
  });

  test('is never below 0', () => {
    fc.assert(
      fc.property(fc.nat(50), fc.integer({ min: -60, max: 60 }), (usageToday, units) => {
        const usage = usageOf({ usageToday, windowStart: TODAY_START });
        const write = usageWrite(PATH, usage, units);
        expect(write).toMatchObject({
          fields: [
            [['usageToday'], usageToday + units < 0 ? 0 : usageToday + units],
            expect.anything(),
          ],
        });
      }),
    );
  });

  test.each([
    [5, 44],
    [50, 50],
  ])('of an exhausted account says so (%i used: %i)', (usageToday, written) => {
    const usage = usageOf({ usageToday, windowStart: TODAY_START });
    expect(exhaustedWrite(PATH, usage)).toEqual({
      kind: 'patch',
      path: PATH,
      when: { version: 'v7' },
      fields: [
        [['usageToday'], written],
        [['windowStart'], TODAY_START],
        [['exhaustedOn'], TODAY],
      ],
    });
  });
});

test('a day is that of UTC', () => {
  expect(dayOf(Date.parse('2025-12-21T00:00:00Z'))).toBe('2025-12-21');
  expect(dayOf(Date.parse('2025-12-21T23:59:59.999Z'))).toBe('2025-12-21');
  expect(dayOf(Date.parse('2025-12-21T23:30:00-01:00'))).toBe('2025-12-22');
});
