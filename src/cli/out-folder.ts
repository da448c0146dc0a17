import { constants, promises as fs } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ArtifactStore } from '../artifacts/artifact-store.js';
import { gsUri } from '../artifacts/object-names.js';
import { ConfigError, reasonOf, StoreUnavailable } from '../failures.js';
import { makeFolder, removeEmpty } from '../local-disk/make-folder.js';
import type { CommandOutcome } from './outcome-view.js';

/**
 * Makes the folder of `--out`, before anything else is written; resolves to what takes it back where
 * nothing came to lie in it. Rejects with `ConfigError`.
 */
export async function prepareOut(folder: string): Promise<() => void> {
  try {
    const made = makeFolder(folder);
    await fs.access(folder, constants.W_OK);
    return () => removeEmpty(folder, made);
  } catch (error) {
    throw new ConfigError(
      `--out ${folder} cannot be written: ${reasonOf(error)}; name another folder`,
    );
  }
}

/** The PNGs under their plain names, for people who want nothing but the pictures. */
export async function copyOut(
  folder: string,
  outcome: CommandOutcome,
  artifacts: ArtifactStore,
): Promise<void> {
  if (outcome.reason !== 'succeeded' && outcome.reason !== 'failed') return;
  for (const { png_gcs_uri: uri } of outcome.items) {
    const plainName = basename(uri);
    try {
      await copyObject(artifacts, uri, join(folder, plainName));
    } catch (error) {
      throw new StoreUnavailable(
        `step ${outcome.stepId} is settled, but --out ${folder} lacks ${plainName}: ${reasonOf(error)}; it stands at ${uri}`,
      );
    }
  }
}

/** One object of the bucket as a file, whole or not at all. Rejects with what stopped it. */
export async function copyObject(
  artifacts: ArtifactStore,
  uri: string,
  file: string,
): Promise<void> {
  const part = join(dirname(file), `.${basename(file)}.${process.pid}.part`);
  try {
    const object = await artifacts.get(uri.slice(gsUri(artifacts.bucket, '').length));
    if (!object) throw new Error('the object is gone');
    await fs.writeFile(part, object.body);
    await fs.rename(part, file);
  } catch (error) {
    await fs.rm(part, { force: true }).catch(() => undefined);
    throw error;
  }
}
