import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import {
  apiError,
  blackHole,
  closedPort,
  httpAnswering,
  type StandingAnswer,
} from '../support/dead-servers.js';
import { type DoorCase, type EnvOf, knock } from '../support/door.js';
import type { FaultRule } from '../support/fake-storage/faults.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import type { GcpScene } from '../support/gcp-scene.js';
import { share } from '../support/share.js';

// Most of them wait for what does not answer.
vi.setConfig({ maxConcurrency: 6 });

interface Row extends DoorCase {
  readonly what: string;
  /** What the one sentence has to name. */
  readonly says: RegExp;
}

type OpenPort = (onTestFinished: (undo: () => Promise<void>) => void) => Promise<number>;

function firestoreAt(open: OpenPort): EnvOf {
  return async (_, undo) => ({ FIRESTORE_EMULATOR_HOST: `127.0.0.1:${await open(undo)}` });
}

function storageAt(open: OpenPort): EnvOf {
  return async (_, undo) => ({ STORAGE_EMULATOR_HOST: `http://127.0.0.1:${await open(undo)}` });
}

function answering(answer: StandingAnswer): OpenPort {
  return (undo) => httpAnswering(answer, undo);
}

const UNAVAILABLE = { status: 503, body: '<h1>Service Unavailable</h1>' };

/** {Firestore, Storage} × {closed port, black hole, 503 for ever}. */
const UNREACHABLE: readonly Row[] = [
  {
    what: 'Firestore: a closed port',
    env: firestoreAt(closedPort),
    says: /Firestore .*cannot be reached/,
  },
  {
    what: 'Firestore: a server that never answers',
    env: firestoreAt(blackHole),
    says: /Firestore .*does not answer|Firestore .*cannot be reached/,
  },
  {
    what: 'Firestore: 503 for ever',
    env: firestoreAt(answering(UNAVAILABLE)),
    says: /Firestore .*cannot be reached.*503/,
  },
  {
    what: 'Firestore: UNAVAILABLE for ever',
    env: firestoreAt(answering(apiError('UNAVAILABLE', 'try later'))),
    says: /Firestore .*cannot be reached.*try later/,
  },
  {
    what: 'Storage: a closed port',
    env: storageAt(closedPort),
    says: /Storage .*connection was refused.*check the network/,
  },
  {
    what: 'Storage: a server that never answers',
    env: storageAt(blackHole),
    says: /Storage .*no answer.*check the network/,
  },
  {
    what: 'Storage: 503 for ever',
    env: storageAt(answering(UNAVAILABLE)),
    says: /Storage .*HTTP 503.*run again/,
  },
];

const LOGIN = /gcloud auth application-default login/;

/** As on a machine that never heard of Google. */
const NOWHERE = { FIRESTORE_EMULATOR_HOST: undefined, STORAGE_EMULATOR_HOST: undefined };

function credentials(write: (path: string) => Promise<unknown>): EnvOf {
  return async ({ cwd }) => {
    const path = join(cwd, 'key.json');
    await write(path);
    return { ...NOWHERE, GOOGLE_APPLICATION_CREDENTIALS: path };
  };
}

function keyFile(key: unknown): EnvOf {
  return credentials((path) => writeFile(path, JSON.stringify(key)));
}

function storageFault(fault: FaultRule['fault']): EnvOf {
  return async ({ storage }: GcpScene) => {
    storage.faults.add({ kind: 'any', times: 'forever', fault });
    return {};
  };
}

/** Each is a program of its own, with all of Google's sign-in. */
const NOT_SIGNED_IN: readonly Row[] = [
  { what: 'no credentials at all', env: async () => NOWHERE, says: LOGIN },
  {
    what: 'no credentials, and an emulator for Firestore alone',
    env: async () => ({ STORAGE_EMULATOR_HOST: undefined }),
    says: LOGIN,
  },
  {
    what: 'a credentials file that is not there',
    env: credentials(async () => undefined),
    says: LOGIN,
  },
  {
    what: 'a credentials file that is a folder',
    env: credentials((path) => mkdir(path)),
    says: LOGIN,
  },
  {
    what: 'a credentials file that is not JSON',
    env: credentials((path) => writeFile(path, 'private_key: x')),
    says: LOGIN,
  },
  { what: 'credentials without any field', env: keyFile({}), says: LOGIN },
  {
    what: 'credentials that lack their key',
    env: keyFile({ type: 'service_account' }),
    says: LOGIN,
  },
  { what: 'credentials that are null', env: keyFile(null), says: LOGIN },
];

const MISCONFIGURED: readonly Row[] = [
  ...share(NOT_SIGNED_IN, 3),
  {
    what: 'no project',
    env: async () => ({ GOOGLE_CLOUD_PROJECT: undefined }),
    says: /--project/,
  },
  {
    what: 'no such bucket',
    flags: ['--charts-bucket', 'gs://no-such-bucket'],
    says: /no bucket gs:\/\/no-such-bucket .*create it, or name another/,
  },
  {
    what: 'no permission on the bucket',
    env: storageFault({ act: 'refuse', status: 403, reason: 'forbidden' }),
    says: /gs:\/\/charts-bucket: grant them roles\/storage.objectAdmin/,
  },
  {
    what: 'credentials that Storage does not accept',
    env: storageFault({ act: 'refuse', status: 401, reason: 'authError' }),
    says: LOGIN,
  },
  {
    what: 'no permission on Firestore',
    env: firestoreAt(
      answering(apiError('PERMISSION_DENIED', 'Missing or insufficient permissions.')),
    ),
    says: /grant them roles\/datastore.user/,
  },
  {
    what: 'no such database',
    env: firestoreAt(
      answering(apiError('NOT_FOUND', 'The database x does not exist for project y')),
    ),
    says: /there is no Firestore database .*--database/,
  },
  {
    what: 'credentials that Firestore does not accept',
    env: firestoreAt(answering(apiError('UNAUTHENTICATED', 'invalid authentication credentials'))),
    says: LOGIN,
  },
];

describe.skipIf(whyNoEmulator)(`what stands in the way at the door ${whyNoEmulator}`, () => {
  test.concurrent.for(UNREACHABLE)('$what: exit 4', async ({ says, what, ...row }, context) => {
    const { exitCode, summary } = await knock(row, context.onTestFinished);
    expect(exitCode).toBe(4);
    expect(summary).toMatchObject({ status: null, errorCode: 'INFRASTRUCTURE_ERROR' });
    expect(summary.message).toMatch(says);
  });

  test.concurrent.for(MISCONFIGURED)('$what: exit 2', async ({ says, what, ...row }, context) => {
    const { exitCode, summary } = await knock(row, context.onTestFinished);
    expect(exitCode).toBe(2);
    expect(summary).toMatchObject({ status: null, errorCode: 'CONFIG_ERROR' });
    expect(summary.message).toMatch(says);
  });

  test.concurrent('no such run: exit 2, and how to create it', async ({ onTestFinished }) => {
    const { exitCode, summary } = await knock({ withRun: false }, onTestFinished);
    expect(exitCode).toBe(2);
    expect(summary).toMatchObject({ status: 'FAILED', errorCode: 'VALIDATION_FAILED' });
    expect(summary.message).toMatch(/no flow run .*--create-flow-run/);
  });
});
