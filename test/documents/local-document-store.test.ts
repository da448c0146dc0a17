import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LocalDocumentStore } from '../../src/documents/local/local-document-store.js';
import { Workspace } from '../../src/local-disk/workspace.js';
import { describeDocumentStore } from '../suites/document-store-suite.js';

describeDocumentStore('local', async () => {
  const root = await mkdtemp(join(tmpdir(), 'documents-'));
  const workspace = await Workspace.open(root);
  const close = () => rm(root, { recursive: true });
  return { store: new LocalDocumentStore(workspace), close };
});

test('a listing that finds little gives the lock back between its pages', async ({
  onTestFinished,
}) => {
  const root = await mkdtemp(join(tmpdir(), 'documents-'));
  onTestFinished(() => rm(root, { recursive: true }));
  const store = new LocalDocumentStore(await Workspace.open(root));
  const ids = Array.from({ length: 450 }, (_, index) => String(1_000 + index));
  await store.commit(
    ids.map((id) => ({ kind: 'put', path: `c/${id}`, data: { wanted: String(id === '1449') } })),
  );
  const pages = [];
  let after: string | undefined;
  do {
    const wanted = { limit: 1, equal: { wanted: 'true' } };
    const page = await store.list('c', { ...wanted, ...(after !== undefined && { after }) });
    pages.push(page.documents.map(({ id }) => id));
    after = page.next;
  } while (after !== undefined);
  expect(pages).toEqual([[], [], ['1449']]);
});
