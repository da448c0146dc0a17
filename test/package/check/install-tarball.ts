import { jsonFile } from '../../support/cli-run.js';
import { runNpm } from './process.js';

const QUIET = ['--no-audit', '--no-fund', '--prefer-offline'];

/**
 * What somebody gets who installs it today: no lock file, no script of anybody, and an error where a
 * package does not support the Node that runs npm.
 */
export async function installTarball(folder: string, tarball: string, node?: string) {
  await jsonFile(folder, 'package.json', { name: 'user', private: true, type: 'module' });
  await install(folder, tarball, node);
}

export async function install(folder: string, what: string, node?: string): Promise<void> {
  const argv = ['install', '--ignore-scripts', '--engine-strict', ...QUIET, what];
  await runNpm(argv, { cwd: folder, ...(node !== undefined && { node }) });
}
