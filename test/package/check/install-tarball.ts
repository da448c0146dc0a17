import { jsonFile } from '../../support/cli-run.js';
import type { Place } from './check.js';
import { runNpm } from './process.js';

/**
 * What somebody gets who installs it today, without a lock file, and with no script of anybody. A
 * package that does not support the Node that runs npm is an error.
 */
export async function installTarball({ packed, isOffline }: Place, folder: string, node?: string) {
  await jsonFile(folder, 'package.json', { name: 'user', private: true, type: 'module' });
  await install([packed.tarball, '--engine-strict'], { folder, isOffline, node });
}

/** Resolves with the packages that npm warns of: they do not support this Node, so they say. */
export async function install(
  argv: readonly string[],
  { folder, isOffline, node }: { folder: string; isOffline: boolean; node: string | undefined },
): Promise<string[]> {
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund'];
  const cache = isOffline ? ['--prefer-offline'] : [];
  const { stderr } = await runNpm(['install', ...quiet, ...cache, ...argv], {
    cwd: folder,
    ...(node !== undefined && { node }),
  });
  return [...stderr.matchAll(/EBADENGINE +package: '(.+)'/g)].map(([, name = '']) => name);
}
