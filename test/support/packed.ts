import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { jsonFile } from './cli-run.js';
import { ALL_CASES } from './share.js';

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
export const run = promisify(execFile);

interface Locked {
  readonly version: string;
  readonly dev?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

interface Lock {
  readonly packages: Readonly<Record<string, Locked>>;
}

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly shasum: string;
  readonly files: readonly { readonly path: string }[];
}

/** Packs as `npm publish` does; the build stands already. */
export async function pack(folder: string) {
  const argv = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const { stdout } = await run('npm', argv, { cwd: REPOSITORY });
  const [packed] = JSON.parse(stdout) as Packed[];
  if (!packed) throw new Error('npm packed nothing');
  const { filename, files, ...measures } = packed;
  return { tarball: join(folder, filename), files: files.map(({ path }) => path), ...measures };
}

/**
 * A folder where the tarball is installed, and `beside` it what else its user has, with the very
 * versions of our lock file. With PROVE=1 npm installs it; else it is unpacked beside links to what
 * its own package.json depends on and to nothing else, which takes a tenth of the time.
 */
export async function install(
  folder: string,
  tarball: string,
  beside: readonly string[] = [],
): Promise<void> {
  return (ALL_CASES ? installByNpm : installByHand)(folder, tarball, beside);
}

async function installByHand(
  folder: string,
  tarball: string,
  beside: readonly string[],
): Promise<void> {
  const modules = join(folder, 'node_modules');
  const own = join(modules, 'worker-chart-export');
  await mkdir(own, { recursive: true });
  await run('tar', ['-xzf', tarball, '-C', own, '--strip-components=1']);
  const { dependencies = {} } = await manifestIn(own);
  for (const name of [...Object.keys(dependencies), ...beside]) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(REPOSITORY, 'node_modules', name), join(modules, name));
  }
  await mkdir(join(modules, '.bin'));
  for (const name of ['worker-chart-export', ...beside]) {
    const { bin = {} } = await manifestIn(join(modules, name));
    for (const [command, file] of Object.entries(bin)) {
      await symlink(join(modules, name, file), join(modules, '.bin', command));
    }
  }
  await chmod(join(modules, '.bin/worker-chart-export'), 0o755);
  await jsonFile(folder, 'package.json', { name: 'user', type: 'module', main: 'index.js' });
}

interface PackageManifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
}

async function manifestIn(folder: string): Promise<PackageManifest> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
}

/** All of it is in npm's cache since the clone's own `npm ci`: nothing is asked of the registry. */
async function installByNpm(
  folder: string,
  tarball: string,
  beside: readonly string[],
): Promise<void> {
  const lock: Lock = JSON.parse(await readFile(join(REPOSITORY, 'package-lock.json'), 'utf8'));
  const { '': own, ...others } = lock.packages;
  const production = Object.entries(others).filter(([, { dev }]) => !dev);
  const needed = closureOf(beside, lock);
  const dependencies = {
    'worker-chart-export': `file:${tarball}`,
    ...Object.fromEntries(
      beside.map((name) => [name, others[`node_modules/${name}`]?.version ?? '']),
    ),
  };
  const user = { name: 'user', type: 'module', main: 'index.js', dependencies };
  await jsonFile(folder, 'package.json', user);
  await jsonFile(folder, 'package-lock.json', {
    name: 'user',
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': { name: 'user', dependencies },
      'node_modules/worker-chart-export': { ...own, resolved: `file:${tarball}` },
      ...Object.fromEntries(production),
      ...Object.fromEntries(needed.map((path) => [path, { ...others[path], dev: false }])),
    },
  });
  await run('npm', ['ci', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: folder });
}

/** Where these packages and all that they depend on stand in the lock file. */
function closureOf(names: readonly string[], { packages }: Lock): string[] {
  const found = new Set<string>();
  const visit = (name: string, from: string) => {
    for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
      const path = `${at === '' ? '' : `${at}/`}node_modules/${name}`;
      const locked = packages[path];
      if (locked && found.has(path)) return;
      if (locked) {
        found.add(path);
        for (const dependency of Object.keys(locked.dependencies ?? {})) visit(dependency, path);
        return;
      }
      // An optional one that is for other platforms.
      if (at === '') return;
    }
  };
  for (const name of names) visit(name, '');
  return [...found];
}
