import { describe, expect, test } from 'vitest';
import { FirestoreDocumentStore } from '../../src/documents/firestore/firestore-document-store.js';
import { ConfigError, StoreUnavailable } from '../../src/failures.js';
import { httpAnswering } from '../support/dead-servers.js';

type Cleanup = (undo: () => Promise<void>) => void;

/** A store whose service always says the same. */
async function answered(status: number, body: unknown, onTestFinished: Cleanup) {
  const port = await httpAnswering({ status, body: JSON.stringify(body) }, onTestFinished);
  const target = { projectId: 'demo', database: '(default)', emulatorHost: `127.0.0.1:${port}` };
  // No time for a second try.
  const store = new FirestoreDocumentStore(target, { callMs: 5_000, readMs: 400 });
  onTestFinished(() => store.close());
  return store;
}

describe('an answer that is not what was asked for', () => {
  test.for([
    ['an object instead of a list', {}],
    ['no time of reading', [{ missing: 'a' }]],
    [
      'an error behind good answers',
      [{ readTime: 'x' }, { error: { code: 503, status: 'UNAVAILABLE' } }],
    ],
  ] as const)('a read: %s', async ([, body], { onTestFinished }) => {
    const store = await answered(200, body, onTestFinished);
    await expect(store.read(['a/b'])).rejects.toThrow(StoreUnavailable);
  });

  test('a read that may not be made says how it may', async ({ onTestFinished }) => {
    const error = { code: 403, status: 'PERMISSION_DENIED', message: 'no' };
    const store = await answered(200, [{ error }], onTestFinished);
    await expect(store.read(['a/b'])).rejects.toThrow(ConfigError);
  });

  test('a commit without the times of its writes may have been made', async ({
    onTestFinished,
  }) => {
    const store = await answered(200, { writeResults: [] }, onTestFinished);
    const put = { kind: 'put', path: 'a/b', data: {} } as const;
    expect(await store.commit([put])).toMatchObject({ status: 'unclear' });
  });
});
