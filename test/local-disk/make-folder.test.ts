import { mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeFolder } from '../../src/local-disk/make-folder.js';
import { emptyFolder } from '../support/cli-run.js';

test('makes a folder and its parents, again and at the same time', async () => {
  const folder = join(await emptyFolder(onTestFinished), 'a', 'b', 'c');
  await Promise.all([makeFolder(folder), makeFolder(folder), makeFolder(folder)]);
  await makeFolder(folder);
  expect((await stat(folder)).isDirectory()).toBe(true);
});

test('goes through a link to a folder', async () => {
  const root = await emptyFolder(onTestFinished);
  await mkdir(join(root, 'real'));
  await symlink('real', join(root, 'link'));
  await makeFolder(join(root, 'link', 'below'));
  expect((await stat(join(root, 'real', 'below'))).isDirectory()).toBe(true);
  await makeFolder('/');
});

test('a file in the way refuses', async () => {
  const file = join(await emptyFolder(onTestFinished), 'file');
  await writeFile(file, 'x');
  await expect(makeFolder(file)).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(makeFolder(join(file, 'below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
});

test.runIf(process.platform === 'linux')('ends where a parent takes no new folder', async () => {
  await expect(makeFolder('/proc/x/y/z')).rejects.toMatchObject({ code: 'ENOENT' });
});
