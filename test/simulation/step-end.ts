import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { gsUri, manifestName } from '../../src/artifacts/object-names.js';
import { wholePngSize } from '../../src/chart-img/png.js';
import type {
  ChartsOutputsManifest,
  JsonObject,
  ManifestItem,
} from '../../src/contracts/documents.js';
import { validateManifest } from '../../src/contracts/validate.js';
import type { MemoryArtifactStore, MemoryObject } from '../support/memory-artifact-store.js';
import type { FakeProvider } from './fake-provider.js';

/** A step; its symbol and timeframe are those of no other step. */
export interface WatchedStep {
  readonly runId: string;
  readonly stepId: string;
  readonly symbol: string;
  readonly timeframe: string;
  readonly chartTemplateIds: readonly string[];
  readonly minImages: number;
}

interface Bucket {
  readonly artifacts: MemoryArtifactStore;
  readonly provider: FakeProvider;
}

/** What is wrong with a step that is done: with its end, or with anything that it says there is. */
export function wrongWithEnd(
  step: WatchedStep,
  { status, outputs, error, finishedAt }: JsonObject,
  isFinishers: boolean,
  bucket: Bucket,
): string[] {
  const { artifacts } = bucket;
  const uri = (outputs as JsonObject | undefined)?.outputsManifestGcsUri;
  const { code, message } = (error ?? {}) as JsonObject;
  const wrong: string[] = [];
  if (typeof finishedAt !== 'string') wrong.push('ended without a time');
  if (code === 'INTERNAL_ERROR') wrong.push(`FAILED because of ${String(message)}`);
  if ((status === 'FAILED') !== (error !== undefined)) {
    wrong.push(`${String(status)} with error ${String(code)}`);
  }
  if (uri === undefined && status === 'FAILED') return wrong;

  const name = manifestName(step);
  const object = artifacts.getNow(name);
  if (uri !== gsUri(artifacts.bucket, name) || !object) {
    return [...wrong, `${String(status)} with the manifest ${String(uri)}, which is not there`];
  }
  if (!isFinishers) wrong.push('has a manifest that is not its finisher’s');
  const checked = validateManifest(JSON.parse(Buffer.from(object.body).toString()));
  if (!checked.ok) return [...wrong, `has a manifest that is not valid: ${checked.errors[0]}`];
  const { value: manifest } = checked;
  if (manifest.items.length >= step.minImages !== (status === 'SUCCEEDED')) {
    wrong.push(`${String(status)} with ${manifest.items.length} charts of ${step.minImages}`);
  }
  if (!isOf(step, manifest)) wrong.push('has another step’s manifest');
  for (const item of manifest.items) wrong.push(...wrongWithItem(item, object, bucket));
  return wrong;
}

function isOf(step: WatchedStep, { runId, stepId, items, failures }: ChartsOutputsManifest) {
  const named = [
    ...items.map(({ chartTemplateId }) => chartTemplateId),
    ...failures.map(({ request }) => request.chartTemplateId),
  ];
  const isWhole = isDeepStrictEqual(named.sort(), step.chartTemplateIds.toSorted());
  return runId === step.runId && stepId === step.stepId && isWhole;
}

function wrongWithItem(
  { png_gcs_uri: uri, chartTemplateId, meta }: ManifestItem,
  manifest: MemoryObject,
  { artifacts, provider }: Bucket,
): string[] {
  const object = artifacts.getNow(uri.slice(gsUri(artifacts.bucket, '').length));
  if (!object) return [`has no ${uri}`];
  const body = Buffer.from(object.body);
  const sha256 = createHash('sha256').update(body).digest('hex');
  const size = { width: meta?.width, height: meta?.height };
  const isAsSaid =
    sha256 === meta?.sha256 &&
    body.length === meta.bytes &&
    isDeepStrictEqual(wholePngSize(body), size);
  const isItsChart = provider.drawn.get(sha256)?.chartTemplateId === chartTemplateId;
  const isOfClaim = object.metadata.claimId === manifest.metadata.claimId;
  return [
    ...(isAsSaid ? [] : [`has other bytes in ${uri}`]),
    ...(isItsChart ? [] : [`has another chart in ${uri}`]),
    ...(isOfClaim ? [] : [`has another claim’s ${uri}`]),
  ];
}
