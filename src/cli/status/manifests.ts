import type { ArtifactStore } from '../../artifacts/artifact-store.js';
import { gsUri, httpsUrl, manifestName } from '../../artifacts/object-names.js';
import type { PlaceConfig } from '../../config/worker-config.js';
import { validateManifest } from '../../contracts/validate.js';
import { ConfigError, reasonOf, StoreUnavailable } from '../../failures.js';
import { Logger } from '../../log/logger.js';
import type { OpenBackend } from '../../worker/backend.js';
import { openBackend } from '../../worker/open-backend.js';
import { type ErrorView, explained } from './explained.js';

/** A step's manifest: where it is, and what it says where it can be read. */
export interface ManifestView {
  readonly gsUri: string;
  /** `null`: it is on this machine alone. */
  readonly httpsUrl: string | null;
  readonly localPath: string | null;
  readonly items: number | null;
  readonly minImages: number | null;
  readonly failures: readonly (ErrorView & { readonly chartTemplateId: string })[] | null;
  /** Why nothing can be said of what it holds. */
  readonly problem: string | null;
  /** The store could not be used: another look may tell more. */
  readonly unreachable: boolean;
}

const BUCKET = /^gs:\/\/([a-z0-9][a-z0-9._-]{1,61}[a-z0-9])\//;

/** Manifests wherever their addresses say, each bucket opened once. */
export class Manifests {
  readonly #config: PlaceConfig;
  readonly #backends = new Map<string, Promise<OpenBackend>>();

  constructor(config: PlaceConfig) {
    this.#config = config;
  }

  async of(uri: string, runId: string, stepId: string): Promise<ManifestView> {
    const name = manifestName({ runId, stepId });
    const bucket = BUCKET.exec(uri)?.[1];
    // A document may say anything: only what this worker would have written is followed.
    if (bucket === undefined || bucket.includes('..') || uri !== gsUri(bucket, name)) {
      const problem = `the address is not that of this step’s manifest (…/${name}); it is not read`;
      return { gsUri: uri, ...UNKNOWN, problem };
    }
    const place = {
      gsUri: uri,
      ...UNKNOWN,
      httpsUrl: this.#config.backend === 'gcp' ? httpsUrl(uri) : null,
    };
    try {
      const artifacts = await this.#storeOf(bucket);
      const here = { ...place, localPath: artifacts.localPath(name) ?? null };
      return { ...here, ...(await contents(artifacts, name)) };
    } catch (error) {
      const isKnown = error instanceof StoreUnavailable || error instanceof ConfigError;
      if (!isKnown) throw error;
      return { ...place, problem: `it cannot be read: ${reasonOf(error)}`, unreachable: true };
    }
  }

  async close(): Promise<void> {
    for (const backend of this.#backends.values()) await (await backend).close();
  }

  async #storeOf(bucket: string): Promise<ArtifactStore> {
    const quiet = new Logger(() => undefined);
    const open =
      this.#backends.get(bucket) ?? openBackend({ ...this.#config, bucket }, 'read', quiet);
    this.#backends.set(bucket, open);
    return (await open).artifacts;
  }
}

const UNKNOWN: Omit<ManifestView, 'gsUri'> = {
  httpsUrl: null,
  localPath: null,
  items: null,
  minImages: null,
  failures: null,
  problem: null,
  unreachable: false,
};

type Contents = Pick<ManifestView, 'items' | 'minImages' | 'failures' | 'problem'>;

async function contents(artifacts: ArtifactStore, name: string): Promise<Contents> {
  const nothing = { items: null, minImages: null, failures: null };
  const object = await artifacts.get(name);
  if (!object) return { ...nothing, problem: 'it is not there' };
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(object.body).toString('utf8'));
  } catch {
    return { ...nothing, problem: 'it is broken: not JSON' };
  }
  const checked = validateManifest(parsed);
  if (!checked.ok) {
    return { ...nothing, problem: `it is broken: ${checked.errors.slice(0, 3).join('; ')}` };
  }
  const { items, failures, minImages } = checked.value;
  return {
    items: items.length,
    minImages,
    failures: failures.map(({ request, error }) => ({
      chartTemplateId: request.chartTemplateId,
      ...explained(error),
    })),
    problem: null,
  };
}
