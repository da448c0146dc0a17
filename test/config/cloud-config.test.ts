import { describe, expect, test } from 'vitest';
import { parseRunConfig } from '../../src/config/run-config.js';

const GCP = { flowRunPath: 'run.json', backend: 'gcp', chartsBucket: 'gs://charts-bucket' };
const FIRESTORE = { FIRESTORE_EMULATOR_HOST: '127.0.0.1:8085' };
const STORAGE = { STORAGE_EMULATOR_HOST: 'http://127.0.0.1:9023' };

async function cloudOf(flags: Record<string, string | boolean>, env: NodeJS.ProcessEnv = {}) {
  return (await parseRunConfig({ ...GCP, ...flags }, env, '/tmp')).cloud;
}

test('with nothing but the backend and a bucket, Google decides the rest', async () => {
  expect(await cloudOf({})).toEqual({
    projectId: undefined,
    database: '(default)',
    firestoreEmulatorHost: undefined,
    storageEmulatorUrl: undefined,
    proxy: { httpsProxy: undefined, noProxy: undefined },
  });
});

test('flag and variable say the same, and the flag wins', async () => {
  const flags = { project: 'my-project', database: 'charts' };
  const env = { GOOGLE_CLOUD_PROJECT: 'my-project', FIRESTORE_DB: 'charts' };
  const expected = { projectId: 'my-project', database: 'charts' };
  expect(await cloudOf(flags)).toMatchObject(expected);
  expect(await cloudOf({}, env)).toMatchObject(expected);
  const others = { GOOGLE_CLOUD_PROJECT: 'another', FIRESTORE_DB: 'another' };
  expect(await cloudOf(flags, others)).toMatchObject(expected);
});

test('the emulators’ variables are taken as they are', async () => {
  expect(await cloudOf({}, { ...FIRESTORE, ...STORAGE })).toMatchObject({
    firestoreEmulatorHost: '127.0.0.1:8085',
    storageEmulatorUrl: 'http://127.0.0.1:9023',
  });
  expect(await cloudOf({}, { FIRESTORE_EMULATOR_HOST: '' })).toMatchObject({
    firestoreEmulatorHost: undefined,
  });
});

describe('refused, by the name of what is wrong', () => {
  test.each<[string, Record<string, string>, NodeJS.ProcessEnv, RegExp]>([
    ['no bucket', { chartsBucket: '' }, {}, /^--backend gcp needs a bucket.*--charts-bucket/],
    ['a project that is none', { project: 'My Project' }, {}, /^--project: "My Project"/],
    ['a database that is none', { database: '../x' }, {}, /^--database: "..\/x"/],
    [
      'a Firestore emulator with a scheme',
      {},
      { FIRESTORE_EMULATOR_HOST: 'http://127.0.0.1:8085' },
      /^FIRESTORE_EMULATOR_HOST: .*host:port/,
    ],
    [
      'a Storage emulator without a scheme',
      {},
      { STORAGE_EMULATOR_HOST: '127.0.0.1:9023' },
      /^STORAGE_EMULATOR_HOST: .*http:\/\//,
    ],
    ['an empty Storage emulator', {}, { STORAGE_EMULATOR_HOST: '' }, /^STORAGE_EMULATOR_HOST: ""/],
    ['Firestore’s in prod', {}, { ...FIRESTORE, TDA_ENV: 'prod' }, /refused in production/],
    ['Storage’s in production', {}, { ...STORAGE, ENV: 'Production' }, /refused in production/],
    [
      'the backend by its variable, with mock charts',
      { backend: '' },
      { CHARTS_BACKEND: 'gcp' },
      /^CHARTS_BACKEND=gcp with mock mode: .*--backend gcp/,
    ],
  ])('%s', async (_, flags, env, names) => {
    await expect(cloudOf(flags, env)).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(names),
    });
  });
});

test('on the local backend none of it matters', async () => {
  const env = { STORAGE_EMULATOR_HOST: '', TDA_ENV: 'prod', ...FIRESTORE };
  expect(await cloudOf({ backend: 'local' }, env)).toBeUndefined();
});
