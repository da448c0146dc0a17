/**
 * The two ways in which the world outside stops a run. Ports throw them, the engine turns them
 * into outcomes; anything else that is thrown is a bug of ours.
 */

/** The store, the disk or a lock cannot be used; trying again later may help. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
}

/** What the user gave cannot work (a flag, a file, a folder, a permission); `message` says what to do. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** The words of an error without its stack, for a sentence that people read. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  return (code !== undefined && SYSTEM_REASONS[code]) || error.message;
}

const SYSTEM_REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EEXIST: 'a file of that name is in the way',
  EISDIR: 'it is a directory',
  ENAMETOOLONG: 'the name is too long for this disk',
  ENOENT: 'no such file or directory',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is not a directory',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
};
