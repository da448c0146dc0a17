import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigError, reasonOf } from '../../failures.js';
import { makeFolder } from '../../local-disk/make-folder.js';

/** Writes a picture to the file of `--out`, whole or not at all. Rejects with `ConfigError`. */
export async function writePicture(file: string, png: Uint8Array): Promise<void> {
  const part = join(dirname(file), `.${randomUUID()}.part`);
  try {
    makeFolder(dirname(file));
    await writeFile(part, png);
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    throw new ConfigError(`--out ${file} cannot be written: ${reasonOf(error)}; name another file`);
  }
}
