import { type Check, verdict } from './check.js';
import { runNode } from './process.js';

const VITEST = 'node_modules/vitest/vitest.mjs';

/** A test file of `npm test` that says something of the package. */
export function suite(name: string, file: string): Check {
  return {
    name,
    find: async () => {
      const { stdout } = await runNode([VITEST, 'run', file, '--reporter=json']);
      const { numTotalTests, numPassedTests } = JSON.parse(stdout.slice(stdout.indexOf('{')));
      const told = `${numPassedTests} of ${numTotalTests} tests of ${file}`;
      return verdict(numPassedTests > 0 && numPassedTests === numTotalTests ? [] : [told], told);
    },
  };
}
