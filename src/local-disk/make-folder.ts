import { mkdirSync, statSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/** More than neighbours that sweep an empty parent away can plausibly undo in a row. */
const TRIES = 5;

/**
 * `mkdir -p` that always ends. Node's own `recursive` never returns where a parent exists but takes
 * no new folder (`/proc/x`): it spins in a thread that not even a signal gets out of. Resolves to the
 * highest folder that it made; `undefined`: none.
 */
export async function makeFolder(folder: string): Promise<string | undefined> {
  let highest: string | undefined;
  for (let left = TRIES; ; left--) {
    try {
      mkdirSync(folder);
      return highest ?? folder;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' && left > 1 && dirname(folder) !== folder) {
        highest = (await makeFolder(dirname(folder))) ?? highest;
      } else if (isFolder(folder)) {
        return highest;
      } else {
        throw error;
      }
    }
  }
}

/** Takes back what `makeFolder` made, up from `folder`, as far as nothing came to lie in it. */
export async function removeEmpty(folder: string, highest: string | undefined): Promise<void> {
  if (highest === undefined) return;
  try {
    for (let at = folder; ; at = dirname(at)) {
      await rmdir(at);
      if (at === highest) return;
    }
  } catch {
    // Something lies in it, or it is gone already.
  }
}

/** Through links too; a root or a mounted folder answers `mkdir` with EROFS, EPERM, EISDIR. */
function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
