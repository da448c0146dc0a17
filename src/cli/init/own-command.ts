import { realpathSync } from 'node:fs';
import { delimiter, dirname, join, sep } from 'node:path';
import { bundled } from '../../config/bundled.js';

const NAME = 'worker-chart-export';
const OF_A_PROJECT = join('node_modules', '.bin');

/** How this program is started again from a folder, in words for a shell. */
export function ownCommand(folder: string, env: NodeJS.ProcessEnv): string {
  if (bundled.program.includes(`${sep}_npx${sep}`) || isInstalledAbove(folder))
    return `npx ${NAME}`;
  // npm puts the projects' folders into PATH, for its own children alone.
  const folders = (env.PATH ?? '').split(delimiter).filter((path) => !path.endsWith(OF_A_PROJECT));
  return folders.some((path) => isOurs(join(path, NAME)))
    ? NAME
    : `node ${shellWord(bundled.program)}`;
}

/** As one word of a POSIX shell. */
export function shellWord(word: string): string {
  return /^[\w@+:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Where npx looks first. */
function isInstalledAbove(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if (isOurs(join(at, OF_A_PROJECT, NAME))) return true;
    if (dirname(at) === at) return false;
  }
}

function isOurs(file: string): boolean {
  try {
    return realpathSync(file) === realpathSync(bundled.program);
  } catch {
    return false;
  }
}
