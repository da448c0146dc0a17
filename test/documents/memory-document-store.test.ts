import { expect, test } from 'vitest';
import { describeDocumentStore } from '../suites/document-store-suite.js';
import { MemoryDocumentStore } from '../support/memory-document-store.js';

describeDocumentStore('memory', async () => {
  let nowMs = 0;
  // A quarter of a millisecond for whatever is done, so that several things happen in one.
  const store = new MemoryDocumentStore(() => {
    nowMs += 0.25;
    return Math.floor(nowMs);
  });
  return { store, close: async () => undefined };
});

test('a write that changes nothing moves neither version nor time', async () => {
  let nowMs = 1;
  const store = new MemoryDocumentStore(() => nowMs);
  const data = { a: 1, b: { c: [2] } };
  await store.commit([{ kind: 'put', path: 'c/d', data }]);
  nowMs = 2;
  const same = { b: { c: [2] }, a: 1 };
  const when = { version: (await store.read(['c/d'])).get('c/d')?.version ?? '' };
  for (const _ of [1, 2]) {
    const result = await store.commit([{ kind: 'put', path: 'c/d', data: same, when }]);
    expect(result).toMatchObject({ status: 'committed' });
  }
  expect((await store.read(['c/d'])).get('c/d')).toEqual({ data, updateTimeMs: 1, ...when });
});
