import { keptManifestName, manifestName } from '../artifacts/object-names.js';
import { isJsonObject } from '../contracts/documents.js';
import type { EngineDeps } from './deps.js';

/**
 * Before a replay replaces it: copies the old manifest to `manifest.<createdAt>.json` beside it.
 * Done before the claim, so that a replay that dies right after it has lost nothing; doing it
 * twice changes nothing.
 */
export async function keepManifest(
  runId: string,
  stepId: string,
  { artifacts, logger }: Pick<EngineDeps, 'artifacts' | 'logger'>,
): Promise<void> {
  const old = await artifacts.get(manifestName(runId, stepId));
  if (!old) return;
  const createdAt = createdAtOf(old.body) ?? `of-generation-${old.generation.slice(0, 16)}`;
  const name = keptManifestName(runId, stepId, createdAt);
  await artifacts.put({
    name,
    body: old.body,
    contentType: 'application/json',
    metadata: old.metadata,
    when: 'absent',
  });
  logger.info('manifest_kept', `the old manifest is kept as ${name}`, { stepId, objectName: name });
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
