import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** More than neighbours that sweep an empty parent away can plausibly undo in a row. */
const TRIES = 5;

/**
 * `mkdir -p` that always ends. Node's own `recursive` never returns where a parent exists but takes
 * no new folder (`/proc/x`): it spins in a thread that not even a signal gets out of.
 */
export async function makeFolder(folder: string): Promise<void> {
  for (let left = TRIES; ; left--) {
    try {
      await mkdir(folder);
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' && left > 1 && dirname(folder) !== folder) {
        await makeFolder(dirname(folder));
      } else if (await isFolder(folder)) {
        return;
      } else {
        throw error;
      }
    }
  }
}

/** Through links too; a root or a mounted folder answers `mkdir` with EROFS, EPERM, EISDIR. */
async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
