import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { emptyFolder } from '../support/cli-run.js';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const read = (file: string) => readFile(join(REPOSITORY, file), 'utf8');

test('the function asks for this very version, and for a framework that it can work with', async () => {
  const own = JSON.parse(await read('package.json'));
  const { dependencies, type, main } = JSON.parse(await read('deploy/function/package.json'));
  const framework = '@google-cloud/functions-framework';
  const lock = JSON.parse(await read('package-lock.json'));
  expect(dependencies).toEqual({
    'worker-chart-export': own.version,
    [framework]: lock.packages[`node_modules/${framework}`].version,
  });
  expect({ type, main }).toEqual({ type: 'module', main: 'index.js' });
});

test('the staged source is what lies in the repository', async () => {
  const folder = await emptyFolder(onTestFinished);
  await run(join(REPOSITORY, 'deploy/stage.sh'), [join(folder, 'new')]);
  for (const file of ['index.js', 'package.json']) {
    expect(await readFile(join(folder, 'new', file), 'utf8')).toBe(
      await read(`deploy/function/${file}`),
    );
  }
});

test.for([[], ['--pak', 'x'], ['a', 'b']])('stage.sh refuses %j in one line', async (argv) => {
  const cwd = await emptyFolder(onTestFinished);
  await expect(run(join(REPOSITORY, 'deploy/stage.sh'), argv, { cwd })).rejects.toMatchObject({
    code: 2,
    stderr: 'usage: deploy/stage.sh [--pack] DIR\n',
  });
});

test('in the container the framework is started by no shell, and not as root', async () => {
  const lines = (await read('deploy/Dockerfile')).split('\n');
  const last = (word: string) => lines.findLastIndex((line) => line.startsWith(`${word} `));
  const argument = (word: string) => lines[last(word)]?.slice(word.length + 1) ?? '';
  expect(argument('FROM')).toBe('node:22-slim');
  expect(argument('USER')).toBe('node');
  expect(last('USER')).toBeGreaterThan(last('RUN'));
  const [program = '', ...more] = JSON.parse(argument('ENTRYPOINT'));
  expect(more).toEqual([]);
  expect(JSON.parse(argument('CMD'))).toEqual(['--target=workerChartExport']);
  // `env` becomes node without a process in between: SIGTERM arrives where it is waited for.
  expect(await read(program)).toMatch(/^#!\/usr\/bin\/env node\n/);
});
