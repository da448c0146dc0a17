import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalArtifactStore } from '../../src/artifacts/local/local-artifact-store.js';
import { Workspace } from '../../src/local-disk/workspace.js';
import { describeArtifactStore } from '../suites/artifact-store-suite.js';

describeArtifactStore('local', async () => {
  const root = await mkdtemp(join(tmpdir(), 'artifacts-'));
  const workspace = await Workspace.open(root);
  const close = () => rm(root, { recursive: true });
  return { store: new LocalArtifactStore(workspace, 'charts-bucket'), close };
});
