import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { GoogleAuth } from 'google-auth-library';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { NewObject } from '../../src/artifacts/artifact-store.js';
import { GcsArtifactStore } from '../../src/artifacts/gcs/gcs-artifact-store.js';
import { systemClock } from '../../src/clock.js';
import { ConfigError, StoreUnavailable } from '../../src/failures.js';
import { SignIn } from '../../src/google/sign-in.js';
import { type FakeStorage, startFakeStorage } from '../support/fake-storage/fake-storage.js';
import type { Fault } from '../support/fake-storage/faults.js';
import { startFakeSignIn } from '../support/fake-storage/sign-in.js';

const BUCKET = 'charts-bucket';
const LIMITS = { tryMs: 150, pauseMs: 1 };
/** Of the tests that would be wrong if a busy machine made a try too slow. */
const PATIENT = { tryMs: 5_000, pauseMs: 1 };

let fake: FakeStorage;
beforeEach(async () => {
  fake = await startFakeStorage({ buckets: [BUCKET] });
});
afterEach(async () => {
  await fake.close();
  expect(fake.violations).toEqual([]);
});

function open(settings: Partial<ConstructorParameters<typeof GcsArtifactStore>[0]> = {}) {
  return new GcsArtifactStore({
    bucket: BUCKET,
    emulator: fake.url,
    limits: PATIENT,
    ...settings,
  });
}

function object(name: string, more: Partial<NewObject> = {}): NewObject {
  const metadata = { claimId: 'c-1' };
  const body = Buffer.from(`body of ${name}`);
  return { name, body, contentType: 'image/png', metadata, when: 'absent', ...more };
}

async function stored(store: GcsArtifactStore, name: string): Promise<string> {
  const result = await store.put(object(name));
  if (result.status !== 'stored') throw new Error(`${name} was refused`);
  return result.generation;
}

async function failureOf(work: Promise<unknown>): Promise<Error> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Error)) throw new Error('it did not fail');
  return error;
}

const FOREVER = { nth: 1, times: 'forever' } as const;
const UNAVAILABLE: Fault = { act: 'refuse', status: 503 };

describe('what is sent', () => {
  test('a put is one request, with everything that readers see', async () => {
    const store = open();
    await store.put(
      object('a.json', { contentType: 'application/json', cacheControl: 'no-store' }),
    );
    expect(fake.count()).toBe(1);
    const [{ contentType, cacheControl, metadata, body } = {}] = fake.objects(BUCKET);
    expect({ contentType, cacheControl, metadata, body: body?.toString() }).toEqual({
      contentType: 'application/json',
      cacheControl: 'no-store',
      metadata: { claimId: 'c-1' },
      body: 'body of a.json',
    });
  });

  test('a look, a delete and a probe are one request each, a get two', async () => {
    const store = open();
    const generation = await stored(store, 'a');
    await store.get('a');
    await store.look('a');
    await store.delete('a', generation);
    await store.probe();
    const kinds = fake.requests.map(({ kind }) => kind);
    expect(kinds).toEqual(['put', 'look', 'download', 'look', 'delete', 'list']);
  });

  test('what was given is not written into', async () => {
    const given = Object.freeze(object('a.png', { metadata: Object.freeze({ by: 'me' }) }));
    expect(await open().put(given)).toMatchObject({ status: 'stored' });
  });

  test('names keep their colons, signs and letters in every call', async () => {
    const store = open();
    for (const file of ['a:b', '%41%2F', 'a+b c', 'ü😀', '?x=#y', '..', "(a)!*'"]) {
      const name = `charts/r/charts:1H:x/${file}`;
      const generation = await stored(store, name);
      expect((await store.look(name))?.generation).toBe(generation);
      expect(Buffer.from((await store.get(name))?.body ?? []).toString()).toBe(`body of ${name}`);
      expect((await store.list('charts/r/charts:1H:x/')).map((found) => found.name)).toEqual([
        name,
      ]);
      expect(fake.objects(BUCKET).map((found) => found.name)).toEqual([name]);
      expect(await store.delete(name, generation)).toBe(true);
    }
  });
});

describe('a lost reply', () => {
  const losses = [
    { act: 'close', when: 'after' },
    { act: 'hang', when: 'after' },
    { act: 'cut' },
  ] as const;

  test.each(losses)(
    'put, $act: stored, yet refused the second time; a look tells',
    async (fault) => {
      const store = open({ limits: { ...LIMITS, tryMs: 700 } });
      fake.faults.add({ kind: 'put', fault });
      expect(await store.put(object('a'))).toEqual({ status: 'refused' });
      expect(fake.count('put')).toBe(2);
      expect(await store.look('a')).toMatchObject({ metadata: { claimId: 'c-1' } });
      expect(fake.objects(BUCKET)).toHaveLength(1);
    },
  );

  test('put on a generation: the same', async () => {
    const store = open();
    const generation = await stored(store, 'a');
    fake.faults.add({ kind: 'put', fault: { act: 'close', when: 'after' } });
    const metadata = { claimId: 'c-2' };
    const again = object('a', { when: { generation }, metadata });
    expect(await store.put(again)).toEqual({ status: 'refused' });
    expect(await store.look('a')).toMatchObject({ metadata });
  });

  test('before it was applied: the second try stores', async () => {
    fake.faults.add({ kind: 'put', fault: { act: 'close', when: 'before' } });
    expect(await open().put(object('a'))).toMatchObject({ status: 'stored' });
    expect(fake.count('put')).toBe(2);
  });

  test('an answer without a generation is not believed', async () => {
    fake.faults.add({ kind: 'put', fault: { act: 'answer', status: 200, json: {} } });
    expect(await open().put(object('a'))).toMatchObject({ status: 'stored' });
    expect(fake.count('put')).toBe(2);
  });

  test('delete: the object is gone, and nothing says that we did it', async () => {
    const store = open();
    const generation = await stored(store, 'a');
    fake.faults.add({ kind: 'delete', fault: { act: 'close', when: 'after' } });
    expect(await store.delete('a', generation)).toBe(false);
    expect(fake.objects(BUCKET)).toEqual([]);
  });

  test('get, cut in the middle of the body: read again, whole', async () => {
    const store = open({ limits: { ...LIMITS, tryMs: 700 } });
    await stored(store, 'a');
    fake.faults.add({ kind: 'download', fault: { act: 'cut' } });
    expect(Buffer.from((await store.get('a'))?.body ?? []).toString()).toBe('body of a');
    expect(fake.count('download')).toBe(2);
  });
});

describe('damage', () => {
  test('a body damaged once is sent anew', async () => {
    const store = open();
    fake.faults.add({ kind: 'put', fault: { act: 'corrupt' } });
    expect(await store.put(object('a'))).toMatchObject({ status: 'stored' });
    expect(Buffer.from((await store.get('a'))?.body ?? []).toString()).toBe('body of a');
  });

  test('a body damaged every time is refused; nothing is stored, and nothing deleted', async () => {
    fake.faults.add({ kind: 'put', ...FOREVER, fault: { act: 'corrupt' } });
    const error = await failureOf(open().put(object('a')));
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(error.message).toContain('the body arrived damaged, 2 times');
    expect(fake.objects(BUCKET)).toEqual([]);
    expect(fake.requests.map(({ kind }) => kind)).toEqual(['put', 'put']);
  });

  test('an answer without a checksum deletes nothing', async () => {
    const json = { name: 'a', generation: '7', size: '9', crc32c: 'AAAAAA==' };
    fake.faults.add({ kind: 'put', fault: { act: 'answer', status: 200, json } });
    expect(await open().put(object('a'))).toEqual({ status: 'stored', generation: '7' });
    expect(fake.count()).toBe(1);
  });
});

describe('tries', () => {
  const operations: [string, (store: GcsArtifactStore) => Promise<unknown>][] = [
    ['put', (store) => store.put(object('a'))],
    ['look', (store) => store.look('a')],
    ['get', (store) => store.get('a')],
    ['list', (store) => store.list('charts/')],
    ['delete', (store) => store.delete('a', '1')],
    ['probe', (store) => store.probe()],
  ];

  test.each(operations)('%s, 503 for ever: two requests, then StoreUnavailable', async (_, run) => {
    fake.faults.add({ kind: 'any', ...FOREVER, fault: { ...UNAVAILABLE, html: '<p>oops</p>' } });
    const error = await failureOf(run(open()));
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(error.message).toContain('HTTP 503, 2 times');
    expect(error.message).not.toContain('oops');
    expect(fake.count()).toBe(2);
  });

  test.each(operations)('%s, silence: bounded by two tries', async (_, run) => {
    fake.faults.add({ kind: 'any', ...FOREVER, fault: { act: 'hang', when: 'before' } });
    const started = performance.now();
    const error = await failureOf(run(open({ limits: LIMITS })));
    const elapsed = performance.now() - started;
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(error.message).toContain('no answer within 0.15 s, 2 times');
    expect(elapsed).toBeGreaterThan(2 * LIMITS.tryMs - 5);
    expect(elapsed).toBeLessThan(2 * LIMITS.tryMs + 2_000);
  });

  test.each(operations)('%s, once 503: the second try is enough', async (_, run) => {
    const store = open();
    fake.faults.add({ kind: 'any', fault: UNAVAILABLE });
    await run(store);
  });

  test('the real bounds are 5 s and half a second', async () => {
    fake.faults.add({ kind: 'look', ...FOREVER, fault: UNAVAILABLE });
    const slept: number[] = [];
    const clock = {
      ...systemClock,
      random: () => 0.5,
      sleep: async (ms: number) => void slept.push(ms),
    };
    const bounds = vi.spyOn(globalThis, 'setTimeout');
    await failureOf(new GcsArtifactStore({ bucket: BUCKET, emulator: fake.url, clock }).look('a'));
    const longest = Math.max(...bounds.mock.calls.map(([, ms = 0]) => ms));
    bounds.mockRestore();
    expect(slept).toEqual([500]);
    expect(longest).toBe(5_000);
  });

  test('retries stay ours after a failed delete, on the same client', async () => {
    const store = open();
    fake.faults.add({ kind: 'any', ...FOREVER, fault: UNAVAILABLE });
    await failureOf(store.delete('a', '1'));
    await failureOf(store.put(object('a')));
    await failureOf(store.look('a'));
    expect(fake.count()).toBe(6);
  });

  test('what cannot get better is asked once', async () => {
    fake.faults.add({ kind: 'put', ...FOREVER, fault: { act: 'refuse', status: 403 } });
    const error = await failureOf(open().put(object('a')));
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(error.message).toContain('permission denied');
    expect(fake.count()).toBe(1);
  });

  test('a bucket lost after the probe makes puts fail as unavailable', async () => {
    const error = await failureOf(open({ bucket: 'gone-bucket' }).put(object('a')));
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(error.message).toContain('no such bucket');
  });

  test('a closed port', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    const store = open({ emulator: `http://127.0.0.1:${address.port}` });
    const works = [() => store.probe(), () => store.put(object('a')), () => store.get('a')];
    for (const work of works) {
      const error = await failureOf(work());
      expect(error).toBeInstanceOf(StoreUnavailable);
      expect(error.message).toContain(
        `http://127.0.0.1:${address.port}: the connection was refused`,
      );
    }
  });
});

describe('list', () => {
  test('goes through all pages, and leaves out folders', async () => {
    const store = open({ limits: { ...PATIENT, pageSize: 2 } });
    for (const name of ['x/3', 'x/1', 'x/', 'x/2', 'x/sub/1', 'x/4', 'y/1']) {
      await stored(store, name);
    }
    const names = (await store.list('x/')).map(({ name }) => name);
    expect(names).toEqual(['x/1', 'x/2', 'x/3', 'x/4']);
    expect(fake.count('list')).toBe(3);
  });

  test('sorts by code unit, which the service does not', async () => {
    const store = open();
    const names = ['x/\u{1F600}', 'x/\uFF5E'];
    for (const name of [...names].reverse()) await stored(store, name);
    expect((await store.list('x/')).map(({ name }) => name)).toEqual(names);
  });

  test('is bounded', async () => {
    const store = open({ limits: { ...PATIENT, pageSize: 1, maxPages: 3 } });
    for (const name of ['x/1', 'x/2', 'x/3', 'x/4']) await stored(store, name);
    const error = await failureOf(store.list('x/'));
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(error.message).toContain('x/ holds more than 3 objects');
    expect(fake.count('list')).toBe(3);
  });
});

describe('get', () => {
  test('never mixes one generation with the metadata of another', async () => {
    const store = open();
    const generation = await stored(store, 'a');
    fake.faults.add({ kind: 'download', fault: { act: 'delay', ms: 200 } });
    const reading = store.get('a');
    await fake.arrived('download', 1);
    const body = Buffer.from('second');
    await store.put(object('a', { when: { generation }, body, metadata: { claimId: 'c-2' } }));
    const got = await reading;
    expect({ ...got, body: Buffer.from(got?.body ?? []).toString() }).toMatchObject({
      body: 'second',
      metadata: { claimId: 'c-2' },
    });
  });

  test('gives up on an object that is overwritten again and again', async () => {
    const store = open();
    await stored(store, 'a');
    fake.faults.add({ kind: 'download', ...FOREVER, fault: { act: 'refuse', status: 404 } });
    expect(await failureOf(store.get('a'))).toBeInstanceOf(StoreUnavailable);
    expect(fake.count('download')).toBe(3);
  });
});

describe('the probe', () => {
  test('no such bucket', async () => {
    const error = await failureOf(open({ bucket: 'other' }).probe());
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toBe(
      `there is no bucket gs://other on the Storage emulator ${fake.url}: create it, or name another one`,
    );
  });

  test.each([
    [400, 'cannot use gs://charts-bucket (HTTP 400): check the bucket'],
    [401, 'does not accept the Google credentials: sign in with `gcloud auth'],
    [403, 'may not use gs://charts-bucket: grant them roles/storage.objectAdmin'],
  ])('HTTP %i', async (status, words) => {
    const message = 'secret-words';
    fake.faults.add({ kind: 'list', ...FOREVER, fault: { act: 'refuse', status, message } });
    const error = await failureOf(open().probe());
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain(words);
    expect(inspect(error)).not.toContain(message);
    expect(fake.count()).toBe(1);
  });

  test('the environment sends nobody elsewhere', async () => {
    vi.stubEnv('STORAGE_EMULATOR_HOST', 'http://127.0.0.1:1');
    try {
      await open().probe();
      expect(fake.count('list')).toBe(1);
    } finally {
      vi.unstubAllEnvs();
    }
  });
});

describe('signed requests', () => {
  const TOKEN = 'token-of-the-test';

  async function signed(onTestFinished: (undo: () => Promise<void>) => void, status = 200) {
    const signIn = await startFakeSignIn(TOKEN, status);
    const strict = await startFakeStorage({ buckets: [BUCKET], token: TOKEN });
    onTestFinished(async () => {
      await Promise.all([signIn.close(), strict.close()]);
      expect(strict.violations).toEqual([]);
    });
    return {
      signIn,
      strict,
      store: open({ emulator: strict.url, signIn: new SignIn(signIn.auth) }),
    };
  }

  test('one sign-in serves uploads that begin at once', async ({ onTestFinished }) => {
    const { signIn, strict, store } = await signed(onTestFinished);
    // Some kinds of credentials share a sign-in under way, those of a Cloud Run service do not.
    const asked = vi.spyOn(signIn.auth, 'getRequestHeaders');
    let grant = () => {};
    asked.mockImplementationOnce(() => {
      const first = new Promise<void>((resolve) => (grant = resolve));
      return first.then(() => signIn.auth.getRequestHeaders());
    });
    const puts = Array.from({ length: 20 }, (_, i) => stored(store, `a/${i}`));
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toHaveBeenCalledTimes(1);
    grant();
    await Promise.all(puts);
    expect(signIn.count()).toBe(1);
    expect(strict.count('put')).toBe(20);
  });

  test('a sign-in that hangs is not waited for twice', async ({ onTestFinished }) => {
    const { signIn, store: patient, strict } = await signed(onTestFinished);
    const store = open({ emulator: strict.url, signIn: new SignIn(signIn.auth), limits: LIMITS });
    vi.spyOn(signIn.auth, 'getRequestHeaders').mockReturnValueOnce(new Promise(() => undefined));
    expect(await store.look('a')).toBeUndefined();
    expect(await patient.look('a')).toBeUndefined();
  });

  test('no key file: nothing is sent', async ({ onTestFinished }) => {
    const { strict } = await signed(onTestFinished);
    const auth = new GoogleAuth({ projectId: 'p', keyFilename: '/no/such/key.json' });
    const error = await failureOf(open({ emulator: strict.url, signIn: new SignIn(auth) }).probe());
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toContain('GOOGLE_APPLICATION_CREDENTIALS');
    expect(strict.count()).toBe(0);
  });

  test('the probe asks for permissions in one call', async ({ onTestFinished }) => {
    const { strict, store } = await signed(onTestFinished);
    await store.probe();
    expect(strict.requests.map(({ kind }) => kind)).toEqual(['permissions']);
  });

  test('whoever may read but not write is told so', async ({ onTestFinished }) => {
    const { strict, store } = await signed(onTestFinished);
    strict.permissions.delete('storage.objects.create');
    strict.permissions.delete('storage.objects.delete');
    const error = await failureOf(store.probe());
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toBe(
      'these Google credentials lack storage.objects.create, storage.objects.delete on gs://charts-bucket: grant them roles/storage.objectAdmin on the bucket',
    );
    strict.permissions.clear();
    expect(await failureOf(store.probe())).toBeInstanceOf(ConfigError);
  });

  test('a sign-in that is refused is a matter of credentials', async ({ onTestFinished }) => {
    const { strict, store } = await signed(onTestFinished, 400);
    const probed = await failureOf(store.probe());
    expect(probed).toBeInstanceOf(ConfigError);
    expect(probed.message).toContain('does not accept the Google credentials');
    const put = await failureOf(store.put(object('a')));
    expect(put).toBeInstanceOf(StoreUnavailable);
    expect(inspect([probed, put], { depth: 20 })).not.toMatch(/token-of-the-test|subject-token/);
    expect(strict.count()).toBe(0);
  });

  test('no error carries the token', async ({ onTestFinished }) => {
    const { strict, store } = await signed(onTestFinished);
    strict.faults.add({ kind: 'any', ...FOREVER, fault: UNAVAILABLE });
    const errors = [await failureOf(store.put(object('a'))), await failureOf(store.probe())];
    expect(inspect(errors, { depth: 20, showHidden: true })).not.toContain(TOKEN);
  });
});
