import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { startVitest } from 'vitest/node';
import { ProofReporter } from './proof-reporter.js';
import { SUITES } from './suites.js';
import { isProved, tally, tallyText } from './tally.js';

/** `npm run prove [-- --json FILE]`: shows what is promised of reliability, or exits 1. */
const { values } = parseArgs({ options: { json: { type: 'string' } } });
const startedAt = performance.now();
const reporter = new ProofReporter((line) => {
  process.stderr.write(`${Math.round((performance.now() - startedAt) / 1_000)} s ${line}\n`);
});
// What it needs is a failure where it is missing.
process.env.REQUIRE_FIRESTORE_EMULATOR = '1';
for (const step of new Set(SUITES.map((suite) => suite.step))) {
  const files = SUITES.filter((suite) => suite.step === step).flatMap((suite) => suite.files);
  const vitest = await startVitest(
    'test',
    files.map((file) => `test/${file}`),
    { watch: false, reporters: [reporter], env: { PROVE: String(step) } },
  );
  await vitest.close();
}
const results = tally(
  (suite) => reporter.endsOf(suite),
  (suite) => reporter.secondsOf(suite),
);
const machine = { node: process.version, cores: availableParallelism() };
const seconds = Math.round((performance.now() - startedAt) / 1_000);
process.stdout.write(
  `Node ${machine.node}, ${machine.cores} cores, ${seconds} s\n\n${tallyText(results)}`,
);
if (values.json !== undefined) {
  await writeFile(values.json, `${JSON.stringify({ ...machine, seconds, results }, null, 2)}\n`);
}
process.exitCode = isProved(results) && reporter.strays.length === 0 ? 0 : 1;
