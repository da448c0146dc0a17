import { expect } from 'vitest';
import { GcsArtifactStore } from '../../src/artifacts/gcs/gcs-artifact-store.js';
import { describeArtifactStore } from '../suites/artifact-store-suite.js';
import { startFakeStorage } from '../support/fake-storage/fake-storage.js';

describeArtifactStore('gcs', async () => {
  const fake = await startFakeStorage({ buckets: ['charts-bucket'] });
  const store = new GcsArtifactStore({ bucket: 'charts-bucket', emulator: fake.url });
  const close = async () => {
    await fake.close();
    expect(fake.violations).toEqual([]);
  };
  return { store, close };
});
