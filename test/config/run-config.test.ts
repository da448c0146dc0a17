import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OPTIONS, type OptionName } from '../../src/config/options.js';
import type { RunConfig } from '../../src/config/run-config.js';
import { parseRunConfig } from '../../src/config/run-config.js';
import { ConfigError } from '../../src/failures.js';

const FILE = { flowRunPath: 'run.json' };
let cwd = '';

beforeAll(async () => {
  cwd = await realpath(await mkdtemp(join(tmpdir(), 'config-')));
  await mkdir(join(cwd, 'templates'));
  await mkdir(join(cwd, 'recorded'));
});

afterAll(() => rm(cwd, { recursive: true, force: true }));

async function problemOf(flags: Record<string, string | boolean>, env: NodeJS.ProcessEnv = {}) {
  const error: unknown = await parseRunConfig({ ...FILE, ...flags }, env, cwd).then(
    () => undefined,
    (reason) => reason,
  );
  if (error === undefined) return undefined;
  expect(error).toBeInstanceOf(ConfigError);
  return (error as ConfigError).message;
}

test('with nothing but a flow run, the defaults hold', async () => {
  expect(await parseRunConfig(FILE, {}, cwd)).toEqual({
    flowRunPath: join(cwd, 'run.json'),
    runId: undefined,
    stepId: undefined,
    report: undefined,
    only: undefined,
    scratch: false,
    yes: false,
    live: undefined,
    chartsApiMode: 'mock',
    backend: 'local',
    touchesObjects: true,
    cloud: undefined,
    bucket: 'local',
    accounts: [],
    workspace: join(cwd, '.worker-chart-export'),
    templatesDir: undefined,
    fixturesDir: undefined,
    out: undefined,
    replay: false,
    ignoreDependencies: false,
    dryRun: false,
    createFlowRun: false,
    concurrency: 10,
    timeoutMs: 540_000,
    leaseTtlMs: 90_000,
    timezone: 'Etc/UTC',
    cache: { ttlMs: 0, refresh: false, retentionMs: 60 * 86_400_000 },
    warnings: [],
  });
});

const KEPT = { refresh: false, retentionMs: 60 * 86_400_000 };

/** The value that flag and variable are given, and what it becomes. */
const TWINS: readonly [OptionName, string, keyof RunConfig, (cwd: string) => unknown][] = [
  ['chartsApiMode', 'mock', 'chartsApiMode', () => 'mock'],
  ['backend', 'local', 'backend', () => 'local'],
  ['workspace', 'ws', 'workspace', (folder) => join(folder, 'ws')],
  ['workspace', '/abs/ws', 'workspace', () => '/abs/ws'],
  ['chartsBucket', 'gs://my-bucket', 'bucket', () => 'my-bucket'],
  ['chartsBucket', 'gs://my-bucket/', 'bucket', () => 'my-bucket'],
  ['chartsBucket', 'my_bucket.example', 'bucket', () => 'my_bucket.example'],
  ['templatesDir', 'templates', 'templatesDir', (folder) => join(folder, 'templates')],
  ['fixturesDir', 'recorded', 'fixturesDir', (folder) => join(folder, 'recorded')],
  ['concurrency', '64', 'concurrency', () => 64],
  ['timeout', '1.5', 'timeoutMs', () => 1_500],
  ['cacheTtl', '5m', 'cache', () => ({ ...KEPT, ttlMs: 300_000 })],
];

describe('flag and variable say the same', () => {
  test.each(TWINS)('%s %s', async (option, value, field, expected) => {
    const env = OPTIONS.find(({ name }) => name === option)?.env ?? '';
    const byFlag = await parseRunConfig({ ...FILE, [option]: value }, {}, cwd);
    const byVariable = await parseRunConfig(FILE, { [env]: value }, cwd);
    expect(byFlag[field]).toEqual(expected(cwd));
    expect(byVariable).toEqual(byFlag);
  });

  test('for every twin there is a row', () => {
    const twins = OPTIONS.filter(({ env }) => env !== undefined).map(({ name }) => name);
    const rows = new Set(TWINS.map(([option]) => option));
    // Tested apart: the cloud's own, those of serve, and the variable that holds JSON where the flag names a file.
    const apart = ['project', 'database', 'port', 'host', 'accountsConfigPath'];
    expect(twins.filter((name) => !rows.has(name))).toEqual(apart);
  });

  test('the accounts’ variable holds them', async () => {
    const env = { CHART_IMG_ACCOUNTS_JSON: '[{"id":"a","apiKey":"k","note":"n"}]' };
    const { accounts, warnings } = await parseRunConfig(FILE, env, cwd);
    expect(accounts).toEqual([{ id: 'a', apiKey: 'k', note: 'n' }]);
    expect(warnings).toHaveLength(1);
  });
});

describe('variables alone', () => {
  test.each([
    ['CHARTS_DEFAULT_TIMEZONE', 'Europe/Berlin', { timezone: 'Europe/Berlin' }],
    ['CHARTS_LEASE_TTL_SECONDS', '0.5', { leaseTtlMs: 500 }],
    ['CHARTS_LEASE_TTL_SECONDS', '86400', { leaseTtlMs: 86_400_000 }],
  ])('%s=%s', async (name, value, expected) => {
    expect(await parseRunConfig(FILE, { [name]: value }, cwd)).toMatchObject(expected);
  });
});

describe('paths', () => {
  test('begin at the working folder, and - is stdin', async () => {
    const flags = { flowRunPath: '-', out: 'out', stepId: 'a' };
    expect(await parseRunConfig(flags, {}, cwd)).toMatchObject({
      flowRunPath: '-',
      out: join(cwd, 'out'),
      stepId: 'a',
    });
  });

  test('of fixtures are the folder of the documentation where it exists', async () => {
    const elsewhere = join(cwd, 'project');
    const fixtures = join(elsewhere, 'fixtures/chart-api/chart-img/advanced-chart-v2');
    await mkdir(fixtures, { recursive: true });
    expect(await parseRunConfig(FILE, {}, elsewhere)).toMatchObject({ fixturesDir: fixtures });
  });
});

describe('a number', () => {
  const texts = fc.oneof(
    fc.integer({ min: -5, max: 90_000 }).map(String),
    fc.stringMatching(/^[ +-]?[0-9]{1,3}[.,e]?[0-9]{0,2}$/),
    fc.constantFrom('NaN', 'Infinity', '0x10', '1e3', '１', '00', '1.0', '٣'),
  );

  test('of charts at a time is whole, from 1 to 64', async () => {
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const fits = /^[0-9]+(\.0*)?$/.test(text) && Number(text) >= 1 && Number(text) <= 64;
        fc.pre(!text.endsWith('.'));
        const problem = await problemOf({ concurrency: text });
        expect(problem === undefined).toBe(fits);
        if (!fits) expect(problem).toMatch(/^--concurrency: .* from 1 to 64$/);
      }),
    );
  });

  test('of seconds may have a fraction, up to a day', async () => {
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const fits =
          /^[0-9]+(\.[0-9]+)?$/.test(text) && Number(text) >= 0.001 && Number(text) <= 86_400;
        const problem = await problemOf({}, { CHARTS_TIMEOUT_SECONDS: text });
        expect(problem === undefined).toBe(fits);
        if (!fits) expect(problem).toMatch(/^CHARTS_TIMEOUT_SECONDS: /);
      }),
    );
  });
});

describe('a duration', () => {
  test.each([
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
    ['0.5h', 1_800_000],
    ['0', 0],
    ['0m', 0],
  ])('%s', async (cacheTtl, ttlMs) => {
    expect(await parseRunConfig({ ...FILE, cacheTtl }, {}, cwd)).toMatchObject({
      cache: { ttlMs },
    });
  });

  test.each(['5', '5 m', '-1m', '1e3s', 'm', '5M', '1h30m', 'PT5M', '1.2345s'])(
    '%s is none',
    async (cacheTtl) => {
      expect(await problemOf({ cacheTtl })).toMatch(
        /^--cache-ttl: .* is not a duration such as 30s/,
      );
    },
  );

  test('of the cache is 0 in a trial, whose pictures are nobody else’s', async () => {
    const config = await parseRunConfig({ ...FILE, scratch: true, cacheTtl: '5m' }, {}, cwd);
    expect(config.cache.ttlMs).toBe(0);
  });
});

describe('recording in production', () => {
  test.each([
    { TDA_ENV: 'prod' },
    { TDA_ENV: 'PRODUCTION' },
    { ENV: 'production' },
    { TDA_ENV: 'dev', ENV: 'Prod' },
  ])('is refused with %o', async (env) => {
    expect(await problemOf({ chartsApiMode: 'record' }, env)).toMatch(/refused in production/);
  });

  test('is what is refused, not production', async () => {
    expect(await problemOf({}, { TDA_ENV: 'prod' })).toBeUndefined();
    expect(await problemOf({ chartsApiMode: 'record' }, { TDA_ENV: 'preprod' })).toBeUndefined();
  });
});
