import { readFile } from 'node:fs/promises';
import { checkPackage, createPackageFromTarballData, type Problem } from '@arethetypeswrong/core';
import { type Check, verdict } from './check.js';

/**
 * The package has ES modules alone, found by `exports`: whoever resolves as Node 10 did finds nothing,
 * and a `require` gets a module that only newer Nodes can load. Both are meant.
 */
const NOT_FOR: readonly string[] = ['node10', 'node16-cjs'];

/** are-the-types-wrong, with its profile for packages of ES modules alone. */
export const types: Check = {
  name: 'types',
  find: async ({ packed }) => {
    const data = createPackageFromTarballData(new Uint8Array(await readFile(packed.tarball)));
    const result = await checkPackage(data);
    if (!result.types) return { status: 'FAILED', problems: ['no types at all'] };
    const problems = result.problems.filter(isForUs).map((problem) => JSON.stringify(problem));
    const entries = Object.keys(result.entrypoints).join(', ');
    return verdict(problems, `no problem in ${entries}, as ES modules (node16, bundler)`);
  },
};

function isForUs(problem: Problem): boolean {
  return !('resolutionKind' in problem && NOT_FOR.includes(problem.resolutionKind));
}
