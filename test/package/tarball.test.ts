import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { emptyFolder } from '../support/cli-run.js';
import { CliWorkspace, summaryOn } from '../support/cli-workspace.js';
import { install, pack, REPOSITORY, run } from '../support/packed.js';

const { tarball, files } = await pack(await emptyFolder(afterAll));

describe('the tarball', () => {
  test('holds what the program needs and nothing else', async () => {
    const kinds = new Set(
      files.map((file) =>
        file
          .replace(/^dist\/.*\.js$/, 'dist/**.js')
          .replace(/^(fixtures\/[a-z-]+)\/.*\.(json|png)$/, '$1/**.$2')
          .replace(/^schemas\/.*\.schema\.json$/, 'schemas/*.schema.json'),
      ),
    );
    expect([...kinds].sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'bin/worker-chart-export.js',
      'dist/**.js',
      'dist/cloud-event/index.d.ts',
      'dist/third-party-licenses.txt',
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
