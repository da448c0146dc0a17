import { type Check, verdict } from './check.js';
import { asSaid, runNode } from './process.js';

const VITEST = 'node_modules/vitest/vitest.mjs';

interface Report {
  readonly numTotalTests: number;
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** A test file of `npm test` that says something of the package; a test that is skipped fails. */
export function suite(name: string, file: string): Check {
  return {
    name,
    find: async () => {
      const argv = [VITEST, 'run', file, '--reporter=json'];
      const { stdout } = await runNode(argv).catch(asSaid);
      const report: Report = JSON.parse(stdout.slice(stdout.indexOf('{')));
      const { numPassedTests, numTotalTests } = report;
      const told = `${numPassedTests} of ${numTotalTests} tests of ${file}`;
      if (numTotalTests > 0 && numPassedTests === numTotalTests) return verdict([], told);
      return verdict([told, ...failuresOf(report)], told);
    },
  };
}

function failuresOf({ testResults }: Report): string[] {
  return testResults.flatMap(({ message, assertionResults }) => [
    ...(message === '' ? [] : [message]),
    ...assertionResults
      .filter(({ status }) => status !== 'passed')
      .map(({ fullName, status, failureMessages }) =>
        [`${status}: ${fullName}`, ...failureMessages].join('\n'),
      ),
  ]);
}
