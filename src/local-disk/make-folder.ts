import { mkdirSync, rmdirSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** More than neighbours that sweep an empty parent away can plausibly undo in a row. */
const TRIES = 5;

/**
 * `mkdir -p` that always ends. Node's own `recursive` never returns where a parent exists but takes
 * no new folder (`/proc/x`): it spins in a thread that not even a signal gets out of. Returns the
 * highest folder that it made; `undefined`: none.
 */
export function makeFolder(folder: string): string | undefined {
  let highest: string | undefined;
  // Looked for first: an error that is thrown takes ten times as long.
  for (let left = TRIES; !isFolder(folder); left--) {
    const parent = dirname(folder);
    if (parent !== folder && !isThere(parent)) highest = makeFolder(parent) ?? highest;
    try {
      mkdirSync(folder);
      return highest ?? folder;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && left > 1) continue;
      if (!isFolder(folder)) throw error;
    }
  }
  return highest;
}

/** Takes back what `makeFolder` made, up from `folder`, as far as nothing came to lie in it. */
export function removeEmpty(folder: string, highest: string | undefined): void {
  if (highest === undefined) return;
  try {
    for (let at = folder; ; at = dirname(at)) {
      rmdirSync(at);
      if (at === highest) return;
    }
  } catch {
    // Something lies in it, or it is gone already.
  }
}

/** Through links too; a root or a mounted folder answers `mkdir` with EROFS, EPERM, EISDIR. */
function isFolder(path: string): boolean {
  return look(path)?.isDirectory() === true;
}

function isThere(path: string): boolean {
  return look(path) !== undefined;
}

function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
