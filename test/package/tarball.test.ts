import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { emptyFolder, jsonFile } from '../support/cli-run.js';
import { CliWorkspace, summaryOn } from '../support/cli-workspace.js';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly bin?: unknown }>>;
}

/** Packs as `npm publish` does; the build stands already. */
async function pack(folder: string) {
  const argv = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder];
  const { stdout } = await run('npm', argv, { cwd: REPOSITORY });
  const [packed] = JSON.parse(stdout) as { filename: string; files: { path: string }[] }[];
  if (!packed) throw new Error('npm packed nothing');
  return { tarball: join(folder, packed.filename), files: packed.files.map(({ path }) => path) };
}

/**
 * A folder where the tarball is installed with the very dependencies of our lock file: those are in
 * npm's cache since the clone's own `npm ci`, so that nothing is asked of the registry.
 */
async function install(folder: string, tarball: string): Promise<void> {
  const lock: Lock = JSON.parse(await readFile(join(REPOSITORY, 'package-lock.json'), 'utf8'));
  const { '': own, ...others } = lock.packages;
  const dependencies = { 'worker-chart-export': `file:${tarball}` };
  const production = Object.entries(others).filter(([, { dev }]) => !dev);
  await jsonFile(folder, 'package.json', { name: 'user', dependencies });
  await jsonFile(folder, 'package-lock.json', {
    name: 'user',
    lockfileVersion: 3,
    requires: true,
    packages: {
      '': { name: 'user', dependencies },
      'node_modules/worker-chart-export': { ...own, resolved: `file:${tarball}` },
      ...Object.fromEntries(production),
    },
  });
  await run('npm', ['ci', '--prefer-offline', '--no-audit', '--no-fund'], { cwd: folder });
}

const { tarball, files } = await pack(await emptyFolder(afterAll));

describe('the tarball', () => {
  test('holds what the program needs and nothing else', async () => {
    const kinds = new Set(
      files.map((file) =>
        file
          .replace(/^dist\/.*\.(js|d\.ts)$/, 'dist/**.$1')
          .replace(/^(fixtures\/[a-z-]+)\/.*\.(json|png)$/, '$1/**.$2')
          .replace(/^schemas\/.*\.schema\.json$/, 'schemas/*.schema.json'),
      ),
    );
    expect([...kinds].sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'bin/worker-chart-export.js',
      'dist/**.d.ts',
      'dist/**.js',
      'fixtures/chart-api/**.json',
      'fixtures/chart-api/**.png',
      'fixtures/chart-templates/**.json',
      'fixtures/flow-runs/**.json',
      'package.json',
      'schemas/*.schema.json',
    ]);
    const compiled = await readdir(join(REPOSITORY, 'dist'), { recursive: true });
    const modules = compiled.filter((file) => file.endsWith('.js'));
    expect(files.filter((file) => file.startsWith('dist/') && file.endsWith('.js'))).toHaveLength(
      modules.length,
    );
  });

  test('runs no script when it is installed', async () => {
    const { scripts } = JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8'));
    const onInstall = Object.keys(scripts).filter((name) => /install$/.test(name));
    expect(onInstall).toEqual([]);
  });
});

test('the installed tarball does the main job in an empty folder', async () => {
  const folder = await emptyFolder(onTestFinished);
  await install(folder, tarball);
  const sample = 'node_modules/worker-chart-export/fixtures/flow-runs/five-templates.json';
  const argv = ['worker-chart-export', 'run-local', '--flow-run-path', sample];
  const { stdout, stderr } = await run('npx', [...argv, '--output-summary', 'json', '--quiet'], {
    cwd: folder,
  });
  const summary = summaryOn(stdout);
  expect(summary).toMatchObject({ status: 'SUCCEEDED', itemsCount: 5, failuresCount: 0 });
  expect(stderr.split('\n').filter((line) => !/^(npm warn.*)?$/.test(line))).toEqual([]);
  const manifest = await new CliWorkspace(folder).manifest(summary.outputsManifestGcsUri);
  expect(manifest.items).toHaveLength(5);
});
