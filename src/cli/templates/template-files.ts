import { readdir, stat } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { readJsonFile } from '../../config/json-file.js';
import { ConfigError, reasonOf } from '../../failures.js';

/** A file that is meant to hold a chart template. */
export interface TemplateFile {
  /** As people find it: relative where it lies below the current folder. */
  readonly name: string;
  /** That a run would ask for. */
  readonly id: string;
  readonly read:
    | { readonly ok: true; readonly value: unknown }
    | { readonly ok: false; readonly what: string };
}

/**
 * Files as they are named, and every `*.json` of folders, by name. Rejects with `ConfigError` for
 * what is not there, and for a folder without templates: nothing would be checked.
 */
export async function readTemplateFiles(
  paths: readonly string[],
  cwd: string,
  signal: AbortSignal,
): Promise<TemplateFile[]> {
  const files = new Set<string>();
  const problems: string[] = [];
  for (const path of paths) {
    const full = resolve(cwd, path);
    try {
      if (!(await stat(full)).isDirectory()) {
        files.add(full);
        continue;
      }
      const names = await templateNames(full);
      if (names.length === 0) problems.push(`${path} holds no chart templates (<id>.json)`);
      for (const name of names) files.add(join(full, name));
    } catch (error) {
      problems.push(`${path} cannot be read: ${reasonOf(error)}`);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems.join('; '));
  return Promise.all([...files].map((file) => readTemplateFile(file, cwd, signal)));
}

/** The templates of a folder, by their files' names. */
export async function templateNames(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory() && /^[^.].*\.json$/s.test(entry.name))
    .map(({ name }) => name)
    .sort((a, b) => (a < b ? -1 : 1));
}

async function readTemplateFile(
  file: string,
  cwd: string,
  signal: AbortSignal,
): Promise<TemplateFile> {
  const read = await readJsonFile(file, { stdin: Readable.from([]) }, signal);
  return { name: shortPath(file, cwd), id: basename(file, '.json'), read };
}

/** Relative where that is shorter to read: what lies below the current folder. */
export function shortPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short === '' || short.startsWith('..') ? path : short;
}
