import { startFakeStorage } from './fake-storage.js';

/** `node --import tsx test/support/fake-storage/main.ts <bucket> …` prints its URL, then serves. */
const buckets = process.argv.slice(2);
if (buckets.length === 0) {
  process.stderr.write('name at least one bucket\n');
  process.exitCode = 2;
} else {
  const fake = await startFakeStorage({ buckets });
  process.stdout.write(`${fake.url}\n`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => fake.close());
}
