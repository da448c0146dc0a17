import { constants, promises as fs } from 'node:fs';
import { dirname } from 'node:path';
import type { ArtifactStore } from '../artifacts/artifact-store.js';
import { gsUri } from '../artifacts/object-names.js';
import { parseJson } from '../config/json-file.js';
import type { ChartsOutputsManifest } from '../contracts/documents.js';
import { validateManifest } from '../contracts/validate.js';
import { ConfigError, reasonOf, StoreUnavailable } from '../failures.js';
import { makeFolder, removeEmpty } from '../local-disk/make-folder.js';
import type { Report } from '../report/build-report.js';

/**
 * Makes the folder of the page and looks whether it takes one; resolves to what takes the folder back
 * where no page was written. Rejects with `ConfigError`.
 */
export async function prepareReport(file: string): Promise<() => void> {
  try {
    const made = makeFolder(dirname(file));
    const there = await fs.stat(file).catch(() => undefined);
    if (there?.isDirectory()) throw new Error('it is a directory');
    await fs.access(there ? file : dirname(file), constants.W_OK);
    return () => removeEmpty(dirname(file), made);
  } catch (error) {
    throw new ConfigError(
      `--report ${file} cannot be written: ${reasonOf(error)}; name another file`,
    );
  }
}

/**
 * Writes the page of the manifest that stands at a URI of this bucket. Rejects with `ConfigError`
 * where there is no such manifest, with `StoreUnavailable` where the page cannot be written.
 */
export async function writeReport(
  file: string,
  manifestUri: string,
  artifacts: ArtifactStore,
): Promise<Report> {
  const name = manifestUri.slice(gsUri(artifacts.bucket, '').length);
  const body = (await artifacts.get(name))?.body;
  if (!body) throw new ConfigError(absent(manifestUri, artifacts.localPath(name)));
  const manifest = manifestIn(body, manifestUri);
  await prepareReport(file);
  const { buildReport } = await import('../report/build-report.js');
  const report = await buildReport({ manifest, manifestUri, artifacts, now: new Date() });
  await writePage(file, report.html);
  return report;
}

/** The same URI names an object of the cloud or one of a workspace: without the place nobody sees which. */
function absent(manifestUri: string, localPath: string | undefined): string {
  return localPath === undefined
    ? `there is no manifest ${manifestUri} in Cloud Storage: check bucket, run and step; status --backend gcp shows the manifests of a run`
    : `there is no manifest ${manifestUri} in the workspace (${localPath}): name another with --workspace, or look in the cloud with --backend gcp`;
}

const EXPECTED = 'name the manifest.json that a run wrote';

/** Throws `ConfigError` that says what is wrong with it. */
export function manifestIn(body: Uint8Array, place: string): ChartsOutputsManifest {
  const read = parseJson(Buffer.from(body).toString('utf8'));
  if (!read.ok) throw new ConfigError(`${place} ${read.what}; ${EXPECTED}`);
  const checked = validateManifest(read.value);
  if (!checked.ok) {
    throw new ConfigError(`${place} is no manifest: ${checked.errors.join('; ')}; ${EXPECTED}`);
  }
  return checked.value;
}

export async function writePage(file: string, html: Buffer): Promise<void> {
  try {
    await fs.writeFile(file, html);
  } catch (error) {
    throw new StoreUnavailable(`the report ${file} could not be written: ${reasonOf(error)}`);
  }
}
