import { mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeFolder } from '../../src/local-disk/make-folder.js';
import { emptyFolder } from '../support/cli-run.js';

test('makes a folder and its parents, and says which', async () => {
  const root = await emptyFolder(onTestFinished);
  const folder = join(root, 'a', 'b', 'c');
  expect(makeFolder(folder)).toBe(join(root, 'a'));
  expect(makeFolder(folder)).toBeUndefined();
  expect((await stat(folder)).isDirectory()).toBe(true);
});

test('goes through a link to a folder', async () => {
  const root = await emptyFolder(onTestFinished);
  await mkdir(join(root, 'real'));
  await symlink('real', join(root, 'link'));
  makeFolder(join(root, 'link', 'below'));
  expect((await stat(join(root, 'real', 'below'))).isDirectory()).toBe(true);
  expect(makeFolder('/')).toBeUndefined();
});

test('a file in the way refuses', async () => {
  const file = join(await emptyFolder(onTestFinished), 'file');
  await writeFile(file, 'x');
  expect(() => makeFolder(file)).toThrow('EEXIST');
  for (const folder of [join(file, 'below'), join(file, 'far', 'below')]) {
    expect(() => makeFolder(folder)).toThrow('ENOTDIR');
  }
});

test.runIf(process.platform === 'linux')('ends where a parent takes no new folder', async () => {
  expect(() => makeFolder('/proc/x/y/z')).toThrow('ENOENT');
});
