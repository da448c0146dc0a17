import { keptManifestName, manifestName, type StepObjects } from '../artifacts/object-names.js';
import { isJsonObject } from '../contracts/documents.js';
import type { EngineDeps } from './deps.js';

/**
 * Before a replay replaces it: copies the old manifest to `manifest.<createdAt>.json` beside it.
 * Done before the claim, so that a replay that dies right after it has lost nothing; doing it
 * twice changes nothing.
 */
export async function keepManifest(
  step: StepObjects,
  { artifacts, logger }: Pick<EngineDeps, 'artifacts' | 'logger'>,
): Promise<void> {
  const { stepId } = step;
  const old = await artifacts.get(manifestName(step));
  if (!old) return;
  const generation = old.generation.slice(0, 16);
  const createdAt = createdAtOf(old.body) ?? `of-generation-${generation}`;
  for (const stamp of [createdAt, `${createdAt}-${generation}`]) {
    const name = keptManifestName(step, stamp);
    const { body, metadata } = old;
    const result = await artifacts.put({
      name,
      body,
      contentType: 'application/json',
      cacheControl: 'no-store',
      metadata,
      when: 'absent',
    });
    const isKept = result.status === 'stored' || isSame((await artifacts.get(name))?.body, body);
    if (!isKept) continue;
    const message = `the old manifest is kept as ${name}`;
    logger.info('manifest_kept', message, { stepId, objectName: name });
    return;
  }
}

function isSame(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && Buffer.compare(a, b) === 0;
}

/** Only a time becomes part of a name. */
function createdAtOf(body: Uint8Array): string | undefined {
  try {
    const manifest: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
    const createdAt = isJsonObject(manifest) ? manifest.createdAt : undefined;
    return typeof createdAt === 'string' && /^[0-9T:.Z+-]{10,40}$/.test(createdAt)
      ? createdAt
      : undefined;
  } catch {
    return undefined;
  }
}
