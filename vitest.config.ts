import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Files wait for processes more than they work: Vitest's own choice is one at a time on two cores.
    maxWorkers: 2,
    // Nothing outlives its file but what was loaded, which to load anew took a tenth of all the time.
    isolate: false,
    globalSetup: ['test/support/start-firestore-emulator.ts'],
    // Tests that start dozens of processes share two cores with the others.
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
