import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
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
          .replace(/^dist\/.*\.cjs$/, 'dist/**.cjs')
          .replace(/^dist\/(cloud-event|library)\/index\.js$/, 'dist/*/index.js')
          .replace(/^dist\/.*\.d\.ts$/, 'dist/**.d.ts')
          .replace(/^(fixtures\/[a-z-]+)\/.*\.(json|png)$/, '$1/**.$2')
          .replace(/^schemas\/.*\.schema\.json$/, 'schemas/*.schema.json'),
      ),
    );
    expect([...kinds].sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'bin/package.json',
      'bin/worker-chart-export.js',
      'dist/**.cjs',
      'dist/**.d.ts',
      'dist/*/index.js',
      'dist/third-party-licenses.txt',
      'fixtures/chart-api/**.json',
      'fixtures/chart-api/**.png',
      'fixtures/chart-templates/**.json',
      'fixtures/flow-runs/**.json',
      'package.json',
      'schemas/*.schema.json',
      'schemas/openapi.json',
    ]);
    const compiled = await readdir(join(REPOSITORY, 'dist'), { recursive: true });
    const isCode = (file: string) => /\.c?js$/.test(file);
    const packed = files.filter((file) => file.startsWith('dist/') && isCode(file));
    expect(packed).toHaveLength(compiled.filter(isCode).length);
  });

  test('holds every type that its entries speak of, and no other', async () => {
    const reached = ['dist/cloud-event/index.d.ts', 'dist/library/index.d.ts'];
    for (const file of reached) {
      const text = await readFile(join(REPOSITORY, file), 'utf8');
      for (const [, target = ''] of text.matchAll(/(?:from |import\()'(\.[^']+)'/g)) {
        const types = posix.join(posix.dirname(file), target).replace(/\.js$/, '.d.ts');
        if (!reached.includes(types)) reached.push(types);
      }
    }
    expect(files.filter((file) => file.endsWith('.d.ts')).sort()).toEqual(reached.sort());
  });

  test('runs no script when it is installed', async () => {
    const { scripts } = JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8'));
    const onInstall = Object.keys(scripts).filter((name) => /install$/.test(name));
    expect(onInstall).toEqual([]);
  });
});

const PROGRAM = `
import { openLibrary } from 'worker-chart-export/library';
const library = await openLibrary({ mode: 'mock' });
const order = { symbols: ['BTCUSDT'], timeframes: ['1h'], chartTemplateId: 'ctpl_price_ma1226_vol_v1' };
const [one] = await library.generate(order, new AbortController().signal);
console.log(one.kind, one.source, one.snapshot.symbol);
await library.close();
`;

const COMMONJS = `
const { openLibrary } = require('worker-chart-export/library');
import('worker-chart-export/library').then((imported) => {
  console.log(typeof openLibrary, typeof imported.openLibrary);
});
`;

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

  await writeFile(join(folder, 'program.mjs'), PROGRAM);
  const program = await run('node', ['program.mjs'], { cwd: folder });
  expect(program.stdout).toBe('chart fixture BTCUSDT\n');

  await writeFile(join(folder, 'program.cjs'), COMMONJS);
  const { stdout: kinds } = await run('node', ['program.cjs'], { cwd: folder });
  expect(kinds).toBe('function function\n');
});
