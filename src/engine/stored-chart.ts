import { createHash } from 'node:crypto';
import type { ArtifactStore, ObjectInfo, ObjectName } from '../artifacts/artifact-store.js';
import { gsUri, pngName, type StepObjects, stepFolder } from '../artifacts/object-names.js';
import type { PngSize } from '../chart-img/png.js';
import type { ManifestItem } from '../contracts/documents.js';
import type { CachedPicture } from './chart-cache.js';
import type { RenderableChart, StepInputs } from './plan.js';

/** A chart that stands in the bucket, ready for the manifest. */
export interface StoredChart {
  readonly name: ObjectName;
  readonly item: ManifestItem;
  /** It is the very picture that was to be copied: it was recorded when it became known. */
  readonly isOld?: true;
}

/** Where a step's charts go, and which claim pays for them. */
export interface ChartFolder extends StepObjects {
  readonly claimId: string;
  readonly inputs: StepInputs;
}

export interface NewChart {
  readonly chart: RenderableChart;
  readonly png: Buffer;
  readonly size: PngSize;
  /** When the image arrived. */
  readonly generatedAt: Date;
}

/** With one move alone, the third replay by a quick script within a second lost its charts. */
const STAMP_MOVES = 5;

/**
 * Stores one PNG. A name that is taken is ours if an earlier try stored it and its reply was lost;
 * else somebody rendered the same chart in the same second: the stamp moves on by a second.
 * `undefined`: all of those were taken too. Rejects with `StoreUnavailable`.
 */
export async function storeChart(
  artifacts: ArtifactStore,
  folder: ChartFolder,
  { chart, png, size, generatedAt }: NewChart,
): Promise<StoredChart | undefined> {
  const sha256 = createHash('sha256').update(png).digest('hex');
  const facts = { source: chart.foresight.source, sha256, ...size };
  return place(artifacts, folder, chart, png, generatedAt, facts);
}

/**
 * Puts a picture that was rendered before under the step's own name, where it does not stand already.
 * `undefined`: it is gone, or is not what it was. Rejects with `StoreUnavailable`.
 */
export async function storeCopy(
  artifacts: ArtifactStore,
  folder: ChartFolder,
  chart: RenderableChart,
  { objectName, generatedAt, sha256, width, height }: CachedPicture,
): Promise<StoredChart | undefined> {
  const body = (await artifacts.get(objectName))?.body;
  if (!body || createHash('sha256').update(body).digest('hex') !== sha256) return undefined;
  const facts = { source: 'cache', sha256, width, height } as const;
  const placed = await place(artifacts, folder, chart, body, new Date(generatedAt), facts);
  return placed?.name === objectName ? { ...placed, isOld: true } : placed;
}

async function place(
  artifacts: ArtifactStore,
  folder: ChartFolder,
  chart: RenderableChart,
  png: Uint8Array,
  generatedAt: Date,
  { source, sha256, width, height }: PictureFacts,
): Promise<StoredChart | undefined> {
  const { chartTemplateId } = chart;
  const { requestHash } = chart.request;
  for (let moves = 0; moves <= STAMP_MOVES; moves++) {
    const at = new Date(generatedAt.getTime() + moves * 1_000);
    const name = nameOf(folder, chart, at);
    const metadata = {
      claimId: folder.claimId,
      requestHash,
      source,
      chartTemplateId,
      generatedAt: at.toISOString(),
      sha256,
      width: String(width),
      height: String(height),
    };
    const object = { name, body: png, contentType: 'image/png', metadata, when: 'absent' } as const;
    const result = await artifacts.put(object);
    const there = result.status === 'stored' ? metadata : (await artifacts.look(name))?.metadata;
    if (there && matches(there, metadata)) {
      return stored(artifacts.bucket, name, chart, metadata, png.length);
    }
    // The very picture that was to be copied, or an earlier claim's copy of it.
    if (source === 'cache' && there && matches(there, { requestHash, chartTemplateId, sha256 })) {
      return stored(artifacts.bucket, name, chart, metadata, png.length);
    }
  }
  return undefined;
}

/** The charts that an earlier holder of the same claim paid for and stored, by template id. */
export async function findStoredCharts(
  artifacts: ArtifactStore,
  folder: ChartFolder,
  charts: readonly RenderableChart[],
): Promise<Map<string, StoredChart>> {
  const objects = await artifacts.list(stepFolder(folder));
  const found = new Map<string, StoredChart>();
  for (const chart of charts) {
    const object = objects.find((candidate) => isPaid(candidate, folder, chart));
    if (!object) continue;
    const metadata = object.metadata as unknown as ChartMetadata;
    const { chartTemplateId } = chart;
    found.set(chartTemplateId, stored(artifacts.bucket, object.name, chart, metadata, object.size));
  }
  return found;
}

type PictureSource = NonNullable<ManifestItem['meta']>['source'];

interface PictureFacts extends PngSize {
  readonly source: PictureSource;
  readonly sha256: string;
}

interface ChartMetadata {
  readonly generatedAt: string;
  readonly sha256: string;
  readonly source: string;
  readonly width: string;
  readonly height: string;
}

function isPaid(object: ObjectInfo, folder: ChartFolder, chart: RenderableChart): boolean {
  const { metadata } = object;
  const generatedAt = new Date(metadata.generatedAt ?? Number.NaN);
  return (
    matches(metadata, {
      claimId: folder.claimId,
      requestHash: chart.request.requestHash,
      chartTemplateId: chart.chartTemplateId,
    }) &&
    (metadata.source === chart.foresight.source || metadata.source === 'cache') &&
    /^[0-9a-f]{64}$/.test(metadata.sha256 ?? '') &&
    Number(metadata.width) > 0 &&
    Number(metadata.height) > 0 &&
    !Number.isNaN(generatedAt.getTime()) &&
    object.name === nameOf(folder, chart, generatedAt)
  );
}

function nameOf({ inputs, ...step }: ChartFolder, chart: RenderableChart, at: Date) {
  const { chartTemplateId } = chart;
  return pngName({ ...step, ...inputs, chartTemplateId }, at);
}

function matches(
  metadata: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(([key, value]) => metadata[key] === value);
}

function stored(
  bucket: string,
  name: ObjectName,
  chart: RenderableChart,
  metadata: ChartMetadata,
  bytes: number,
): StoredChart {
  const item: ManifestItem = {
    chartTemplateId: chart.chartTemplateId,
    kind: chart.template.description,
    generatedAt: metadata.generatedAt,
    png_gcs_uri: gsUri(bucket, name),
    meta: {
      source: metadata.source as PictureSource,
      chartImgSymbol: chart.request.chartImgSymbol,
      interval: chart.request.interval,
      width: Number(metadata.width),
      height: Number(metadata.height),
      bytes,
      sha256: metadata.sha256,
    },
  };
  return { name, item };
}
