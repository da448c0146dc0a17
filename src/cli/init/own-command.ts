import { realpathSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NAME = 'worker-chart-export';
/** From `src/cli/init` and `dist/cli/init` alike, the package is three folders up. */
const BIN = fileURLToPath(new URL(`../../../bin/${NAME}.js`, import.meta.url));

/** How this program is started again, from any folder, in words for a shell. */
export function ownCommand(env: NodeJS.ProcessEnv): string {
  // Set by npx, `npm exec` and `npm run`.
  if (env.npm_command === 'exec' || env.npm_command === 'run-script') return `npx ${NAME}`;
  const isOnPath = (env.PATH ?? '').split(delimiter).some((folder) => isOurs(join(folder, NAME)));
  return isOnPath ? NAME : `node ${shellWord(BIN)}`;
}

/** As one word of a POSIX shell. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function isOurs(file: string): boolean {
  try {
    return realpathSync(file) === realpathSync(BIN);
  } catch {
    return false;
  }
}
