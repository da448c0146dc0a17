import { describe, expect, test } from 'vitest';
import { FunctionInstance, type FunctionWorld } from '../../src/cloud-event/function-instance.js';
import { parseFunctionConfig } from '../../src/config/function-config.js';
import { emptyFolder } from '../support/cli-run.js';
import { FunctionServer } from '../support/function-server.js';
import { formsOf } from '../support/key-forms.js';
import { binaryEvent, messageOf } from '../support/saved-events.js';

const RUN_ID = '20251221-120000_BTCUSDT_conf';
const KEY = 'not-a-real-key-0123456789/+abc==';
const RIGHT = {
  CHARTS_BUCKET: 'charts-bucket',
  CHART_IMG_ACCOUNTS_JSON: JSON.stringify([{ id: 'acc-1', apiKey: KEY }]),
};
const EMULATORS = {
  FIRESTORE_EMULATOR_HOST: '127.0.0.1:1',
  STORAGE_EMULATOR_HOST: 'http://127.0.0.1:1',
};

/** What is wrong, and what is said of it. */
const WRONG: readonly (readonly [string, NodeJS.ProcessEnv, RegExp])[] = [
  ['no bucket', { ...RIGHT, CHARTS_BUCKET: '' }, /^a bucket is needed: set CHARTS_BUCKET$/],
  ['no bucket’s name', { ...RIGHT, CHARTS_BUCKET: 'Not A Bucket' }, /CHARTS_BUCKET/],
  ['no accounts', { CHARTS_BUCKET: 'charts-bucket' }, /^Chart-IMG accounts are needed: set CHART/],
  ['accounts that are no JSON', { ...RIGHT, CHART_IMG_ACCOUNTS_JSON: `[${KEY}` }, /ACCOUNTS_JSON/],
  ['an unknown mode', { ...RIGHT, CHARTS_API_MODE: 'fake' }, /CHARTS_API_MODE/],
  ['record mode', { ...RIGHT, CHARTS_API_MODE: 'record' }, /record is refused/],
  ['no number', { ...RIGHT, CHARTS_TIMEOUT_SECONDS: 'soon' }, /CHARTS_TIMEOUT_SECONDS/],
  ...['prod', 'production', 'PROD'].flatMap((name) =>
    ['TDA_ENV', 'ENV'].flatMap((variable) => [
      [
        `emulators with ${variable}=${name}`,
        { ...RIGHT, ...EMULATORS, [variable]: name },
        /FIRESTORE_EMULATOR_HOST and STORAGE_EMULATOR_HOST are refused in production \(TDA_ENV or ENV\): unset them/,
      ] as const,
      [
        `mock with ${variable}=${name}`,
        { ...RIGHT, CHARTS_API_MODE: 'mock', [variable]: name },
        /mock is refused in production/,
      ] as const,
    ]),
  ),
];

function instanceOf(env: NodeJS.ProcessEnv) {
  const lines: string[] = [];
  const world: FunctionWorld = { env, cwd: '/', write: (line) => lines.push(line) };
  return { instance: new FunctionInstance(world), lines };
}

describe('a configuration that is wrong', () => {
  test.for(WRONG)(
    '%s: answered 500, logged at start and with each event',
    async ([, env, said]) => {
      const { instance, lines } = instanceOf(env);
      const { answer, outcomes } = await instance.deliver(
        messageOf(binaryEvent(RUN_ID, { id: 'event-1' })),
      );
      expect([answer, outcomes]).toMatchObject([500, [{ reason: 'misconfigured' }]]);
      const errors = lines
        .map((line) => JSON.parse(line))
        .filter(({ event }) => event === 'config_error');
      const error = { code: 'CONFIG_ERROR', message: expect.stringMatching(said) };
      expect(errors).toMatchObject([
        { severity: 'ERROR', error },
        { severity: 'ERROR', error, eventId: 'event-1', runId: RUN_ID },
      ]);
      for (const form of formsOf(KEY)) expect(lines.join('')).not.toContain(form);
      await expect(instance.sweep()).rejects.toThrow(said);
    },
  );

  test.for(['workerChartExport', 'workerChartExportSweep'] as const)(
    '%s says so to whoever calls, and goes on',
    async (target, { onTestFinished }) => {
      const cwd = await emptyFolder(onTestFinished);
      const env = { ...RIGHT, ...EMULATORS, TDA_ENV: 'prod' };
      const server = await FunctionServer.start(onTestFinished, { cwd, env, target });
      const { headers = {}, ...event } = binaryEvent(RUN_ID);
      for (const _ of [1, 2]) {
        expect(await server.send({ ...event, headers })).toEqual({ status: 500, body: '' });
      }
      await server.event('config_error', 3);
      await server.kill('SIGTERM');
      expect(server.linesOf('config_error')).toHaveLength(3);
      expect(server.stderr).toBe('');
      for (const form of formsOf(KEY)) expect(server.stdout.join('')).not.toContain(form);
    },
  );
});

describe('what the function is told', () => {
  test('is real and on gcp, with time left to write the end', async () => {
    expect(await parseFunctionConfig(RIGHT, '/')).toMatchObject({
      backend: 'gcp',
      chartsApiMode: 'real',
      timeoutMs: 500_000,
      bucket: 'charts-bucket',
      accounts: [{ id: 'acc-1' }],
    });
  });

  test('may be mock without accounts, where it is not production', async () => {
    const env = { CHARTS_BUCKET: 'charts-bucket', CHARTS_API_MODE: 'mock', TDA_ENV: 'dev' };
    expect(await parseFunctionConfig(env, '/')).toMatchObject({ backend: 'gcp', accounts: [] });
  });

  test('that an event is none is known without a configuration', async () => {
    const { instance, lines } = instanceOf({});
    const ignored = await instance.deliver({ headers: {}, body: new Uint8Array() });
    expect(ignored).toMatchObject({ answer: 204, outcomes: [] });
    expect(lines.at(-1)).toContain('cloud_event_ignored');
  });
});
