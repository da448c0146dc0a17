import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadAccounts } from '../../src/config/accounts.js';

const KEY = 'not-a-real-key-0123456789';
const ONE = [{ id: 'acc-1', apiKey: KEY, plan: 'PRO', priority: -1 }];

async function accountsFile(text: string, mode = 0o600): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'accounts-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'accounts.json');
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

describe('accounts', () => {
  test('come from the file, else from the variable, else there are none', async () => {
    const path = await accountsFile(JSON.stringify(ONE));
    const other = JSON.stringify([{ id: 'acc-env', apiKey: 'k' }]);
    expect(await loadAccounts(path, other)).toEqual({ accounts: ONE, problems: [], warnings: [] });
    expect((await loadAccounts(undefined, other)).accounts).toMatchObject([{ id: 'acc-env' }]);
    for (const json of [undefined, '']) {
      expect(await loadAccounts(undefined, json)).toEqual({
        accounts: [],
        problems: [],
        warnings: [],
      });
    }
  });

  test('with unknown fields are used, with a warning that does not quote them', async () => {
    const json = JSON.stringify([{ ...ONE[0], [`note-${KEY}`]: KEY, region: 'eu' }]);
    const { accounts, warnings } = await loadAccounts(undefined, json);
    expect(accounts).toHaveLength(1);
    expect(warnings).toEqual(['CHART_IMG_ACCOUNTS_JSON: [0]: has 2 unknown field(s), not used']);
  });

  test.skipIf(process.platform === 'win32').each([0o604, 0o640, 0o660, 0o644])(
    'in a file of mode %o come with a warning',
    async (mode) => {
      const { accounts, warnings } = await loadAccounts(
        await accountsFile(JSON.stringify(ONE), mode),
        undefined,
      );
      expect(accounts).toEqual(ONE);
      expect(warnings).toEqual([expect.stringMatching(/can be read by others; chmod 600 it$/)]);
    },
  );

  test('are all refused where one is wrong, and all that is wrong is said', async () => {
    const json = JSON.stringify([
      { id: 'a', apiKey: 'k1' },
      { id: 'constructor', apiKey: 'k1' },
      { id: 'a', apiKey: 'k2' },
    ]);
    const { accounts, problems } = await loadAccounts(undefined, json);
    expect(accounts).toEqual([]);
    expect(problems).toEqual([
      'CHART_IMG_ACCOUNTS_JSON: [1].id: is not allowed',
      'CHART_IMG_ACCOUNTS_JSON: [1].apiKey: the same key is there twice',
      'CHART_IMG_ACCOUNTS_JSON: [2].id: is the same as [0].id',
    ]);
  });
});

describe('no key', () => {
  test('is an account’s id: that stands in logs and in document names', async () => {
    const key = 'not-a-real-key-0123456789';
    const twice = [key, `acc-${key}`].map((id, n) => ({ id, apiKey: n === 0 ? key : 'another' }));
    const { accounts, problems } = await loadAccounts(undefined, JSON.stringify(twice));
    expect(accounts).toEqual([]);
    expect(problems).toHaveLength(2);
    expect(problems.join()).not.toContain(key);
  });

  const values = fc.oneof(
    fc.constantFrom<unknown>(KEY, ` ${KEY}`, [KEY], { [KEY]: KEY }, `${KEY}\n`, null, 7, 0, 'PRO'),
    fc.jsonValue({ maxDepth: 1 }),
  );
  const fields = fc.constantFrom(
    'apiKey',
    'dailyLimit',
    'plan',
    'requestsPerSecond',
    'burst',
    'priority',
    'note',
    KEY,
  );
  const ids = fc.constantFrom<unknown>('acc-1', 'acc-2', `${KEY}/`, ` ${KEY}`, [KEY], undefined);
  const account = fc
    .tuple(ids, fc.dictionary(fields, values))
    .map(([id, rest]) => ({ id, apiKey: KEY, ...rest }));
  const documents = fc.oneof(
    fc.array(fc.oneof(account, values), { maxLength: 3 }),
    account,
    values,
  );

  async function expectNoKeyIn(json: string): Promise<void> {
    const { problems, warnings } = await loadAccounts(undefined, json);
    for (const text of [...problems, ...warnings]) expect(text).not.toContain(KEY);
  }

  test('is in what is said of accounts', async () => {
    await fc.assert(
      fc.asyncProperty(documents, (document) => expectNoKeyIn(JSON.stringify(document) ?? '')),
    );
  });

  test('is in what is said of a text that is not JSON', async () => {
    const text = JSON.stringify(ONE);
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length), fc.string(), async (at, more) => {
        const broken = `${text.slice(0, at)}${more}}${text.slice(at)}`;
        await expectNoKeyIn(broken);
        await expectNoKeyIn(text.slice(0, at));
      }),
    );
    const { problems } = await loadAccounts(undefined, text.slice(0, -1));
    expect(problems).toEqual([
      expect.stringMatching(/^CHART_IMG_ACCOUNTS_JSON is not JSON.*; write a list such as \[\{/),
    ]);
  });
});
