import { describeArtifactStore } from '../suites/artifact-store-suite.js';
import { MemoryArtifactStore } from '../support/memory-artifact-store.js';

describeArtifactStore('memory', async () => ({
  store: new MemoryArtifactStore('charts-bucket'),
  close: async () => undefined,
}));
