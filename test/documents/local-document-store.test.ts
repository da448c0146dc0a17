import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalDocumentStore } from '../../src/documents/local/local-document-store.js';
import { Workspace } from '../../src/local-disk/workspace.js';
import { describeDocumentStore } from '../suites/document-store-suite.js';

describeDocumentStore('local', async () => {
  const root = await mkdtemp(join(tmpdir(), 'documents-'));
  const workspace = await Workspace.open(root);
  const close = () => rm(root, { recursive: true });
  return { store: new LocalDocumentStore(workspace), close };
});
