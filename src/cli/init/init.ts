import { lstat, mkdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { ConfigError, reasonOf } from '../../failures.js';
import { makeFolder } from '../../local-disk/make-folder.js';
import { toColumns, toLines } from '../lines.js';
import { toldCommand } from '../told-command.js';
import { ownCommand, shellWord } from './own-command.js';
import { ACCOUNTS, type StarterFile, starterFiles, TEMPLATES } from './starter.js';

type Done = 'wrote' | 'kept' | 'added';

/** The command `init`. */
export const initCommand = toldCommand(async ({ operands }, { signal }, { env, cwd }) => {
  const [dir = '.'] = operands;
  const folder = resolve(cwd, dir);
  const command = ownCommand(folder, env);
  const files = await starterFiles(new Date(), command);
  const done = await writeStarter(folder, files, signal);
  const go = folder === cwd ? '' : `cd ${shellWord(dir.startsWith('-') ? `./${dir}` : dir)} && `;
  const next = `${go}${command} run-local --flow-run-path flow_run.json --templates-dir ${TEMPLATES}`;
  return {
    exitCode: 0,
    text: toLines([
      ...toColumns(rowsOf(done)),
      '',
      'Next, with sample charts (no key, no network):',
      `  ${next}`,
    ]),
    json: {
      folder,
      files: done.map(({ name, how }) => ({ name, action: how })),
      next,
    },
  };
});

interface DoneFile {
  readonly name: string;
  readonly what: string;
  readonly how: Done;
}

/**
 * Writes what is not there yet. Rejects with `ConfigError` where that cannot be done; what was
 * written by then is removed.
 */
async function writeStarter(
  folder: string,
  files: readonly StarterFile[],
  signal: AbortSignal,
): Promise<DoneFile[]> {
  const undo: (() => Promise<unknown>)[] = [];
  try {
    await makeFolders(folder, undo);
    await makeFolders(join(folder, TEMPLATES), undo);
    // First: at no moment does the accounts file lie open to `git add`.
    const ignored = await ignoreAccounts(join(folder, '.gitignore'), undo);
    const done: DoneFile[] = [];
    for (const { name, text, mode = 0o666, what } of files) {
      signal.throwIfAborted();
      const path = join(folder, name);
      const isNew = await createFile(path, text, mode);
      if (isNew) undo.push(() => rm(path));
      done.push({ name, what, how: isNew ? 'wrote' : 'kept' });
    }
    return [...done, ignored];
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(() => undefined);
    if (signal.aborted && error === signal.reason) throw error;
    throw new ConfigError(
      `${folder} cannot be written: ${reasonOf(error)}; nothing was left there`,
    );
  }
}

/** The folder and its parents, each to be removed again if it was not there. */
async function makeFolders(folder: string, undo: (() => Promise<unknown>)[]): Promise<void> {
  const made: string[] = [];
  for (let at = folder; !(await exists(at)) && dirname(at) !== at; at = dirname(at))
    made.unshift(at);
  if (made.length === 0) {
    makeFolder(folder);
    return;
  }
  for (const path of made) {
    await mkdir(path);
    undo.push(() => rmdir(path));
  }
}

/** `false`: something of this name is there, a broken link too. */
async function createFile(path: string, text: string, mode: number): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx', mode });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    // A full disk leaves a part of it.
    await rm(path, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Adds the one line to a `.gitignore` whose last word on the accounts file is not yes. */
async function ignoreAccounts(path: string, undo: (() => Promise<unknown>)[]): Promise<DoneFile> {
  const fact = { name: '.gitignore', what: `keeps ${ACCOUNTS} out of git` };
  if (!(await exists(path))) {
    await writeFile(path, `${ACCOUNTS}\n`, { flag: 'wx' });
    undo.push(() => rm(path));
    return { ...fact, how: 'wrote' };
  }
  const before = await readFile(path, 'utf8');
  const said = before
    .split(/\r?\n/)
    .map((line) => line.trimEnd())
    .filter((line) => new RegExp(`^!?/?${ACCOUNTS.replace('.', '\\.')}$`).test(line));
  if (said.length > 0 && !said.at(-1)?.startsWith('!')) return { ...fact, how: 'kept' };
  const eol = before.includes('\r\n') ? '\r\n' : '\n';
  const gap = before === '' || before.endsWith('\n') ? '' : eol;
  await writeFile(path, `${gap}${ACCOUNTS}${eol}`, { flag: 'a' });
  undo.push(() => writeFile(path, before));
  return { ...fact, how: 'added' };
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Of the templates' many files one line, unless some of them were there. */
function rowsOf(done: readonly DoneFile[]): string[][] {
  const isTemplate = ({ name }: DoneFile) => name.startsWith(`${TEMPLATES}/`);
  const templates = done.filter(isTemplate);
  const isAlike = new Set(templates.map(({ how }) => how)).size === 1;
  const rows = isAlike
    ? done.flatMap((file): DoneFile[] => {
        if (!isTemplate(file)) return [file];
        if (file !== templates[0]) return [];
        const what = `${templates.length} chart templates, to be changed and copied`;
        return [{ ...file, name: `${TEMPLATES}/`, what }];
      })
    : done;
  return rows.map(({ name, what, how }) => [
    how,
    name,
    how === 'kept' ? (name === '.gitignore' ? what : 'is there already, left as it is') : what,
  ]);
}
