import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkPackage, createPackageFromTarballData, type Problem } from '@arethetypeswrong/core';
import { REPOSITORY, run } from '../../support/packed.js';
import { type Check, type Place, verdict } from './check.js';
import { runNode } from './process.js';

/**
 * The package has ES modules alone, found by `exports`: whoever resolves as Node 10 did finds nothing,
 * and a `require` gets a module that only newer Nodes can load. Both are meant.
 */
const NOT_FOR: readonly string[] = ['node10', 'node16-cjs'];

const USER = `
import type { HttpFunction } from '@google-cloud/functions-framework';
import * as functions from 'worker-chart-export/cloud-event';
export const each: Record<'workerChartExport' | 'workerChartExportSweep', HttpFunction> = functions;
// @ts-expect-error: any would be a number too.
export const none: number = functions.workerChartExport;

import { type Generated, type Library, openLibrary } from 'worker-chart-export/library';
export async function stored(signal: AbortSignal): Promise<string[]> {
  const library: Library = await openLibrary({ mode: 'mock', cacheTtl: '5m' });
  const made: readonly Generated[] = await library.generate({ symbols: ['DAX'], timeframes: ['4h'] }, signal);
  const { snapshots } = await library.snapshots.list({ symbol: 'DAX' }, { limit: 5 });
  // @ts-expect-error: any would be a number too.
  const wrong: number = snapshots[0]?.uri;
  return made.map((one) => (one.kind === 'chart' ? one.snapshot.uri : one.error.code));
}
`;

/**
 * are-the-types-wrong, with its profile for packages of ES modules alone; it brings a TypeScript of its
 * own, so ours compiles a user.
 */
export const types: Check = {
  name: 'types',
  find: async (place) => {
    const { packed } = place;
    const data = createPackageFromTarballData(new Uint8Array(await readFile(packed.tarball)));
    const result = await checkPackage(data);
    if (!result.types) return { status: 'FAILED', problems: ['no types at all'] };
    const problems = result.problems.filter(isForUs).map((problem) => JSON.stringify(problem));
    await compileUser(place);
    const entries = Object.keys(result.entrypoints).join(', ');
    return verdict(
      problems,
      `no problem in ${entries}, as ES modules (node16, bundler); a user compiles`,
    );
  },
};

function isForUs(problem: Problem): boolean {
  return !('resolutionKind' in problem && NOT_FOR.includes(problem.resolutionKind));
}

/** Rejects with what the compiler says. The framework is that of the repository. */
async function compileUser({ packed, folder }: Place): Promise<void> {
  const user = join(folder, 'typed');
  const ours = join(user, 'node_modules/worker-chart-export');
  await mkdir(ours, { recursive: true });
  await run('tar', ['-xzf', packed.tarball, '-C', ours, '--strip-components=1']);
  const google = 'node_modules/@google-cloud';
  await symlink(join(REPOSITORY, google), join(user, google));
  await writeFile(join(user, 'package.json'), '{ "type": "module" }');
  await writeFile(join(user, 'index.ts'), USER);
  const flags = [
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--module',
    'nodenext',
    '--target',
    'es2023',
  ];
  const tsc = join(REPOSITORY, 'node_modules/typescript/bin/tsc');
  await runNode([tsc, ...flags, '--ignoreConfig', '--types', '', 'index.ts'], { cwd: user });
}
