import { createHash } from 'node:crypto';
import type { ArtifactStore, ObjectInfo, ObjectName } from '../artifacts/artifact-store.js';
import { gsUri, libraryFolder, libraryPngName } from '../artifacts/object-names.js';
import type { Drawn } from '../engine/drawing.js';
import type { OrderedChart } from './plan-order.js';
import {
  type NewSnapshot,
  newSnapshot,
  parseSnapshot,
  type Snapshot,
} from './snapshots/snapshot.js';

/** A chart as it stands in the bucket, not recorded yet. */
export type StoredPicture = Pick<
  NewSnapshot,
  | 'symbol'
  | 'timeframe'
  | 'chartTemplateId'
  | 'uri'
  | 'generatedAt'
  | 'bytes'
  | 'width'
  | 'height'
  | 'sha256'
  | 'source'
>;

/** What else is recorded of it: kept with the picture, for whoever finds it alone. */
export type PictureFacts = Omit<NewSnapshot, keyof StoredPicture>;

/** By the interval: one picture is looked for in one folder, however its timeframe was spelt. */
export function folderOf({ symbol, chart }: OrderedChart, claimedAt: Date): string {
  return libraryFolder({ symbol, interval: chart.request.interval }, claimedAt);
}

/** Which claim a picture is stored for, and where. */
export interface PictureClaim {
  readonly claimId: string;
  readonly folder: string;
}

/** `undefined`: its name is taken, by nothing of ours. Rejects with `StoreUnavailable`. */
export async function storePicture(
  artifacts: ArtifactStore,
  { claimId, folder }: PictureClaim,
  { symbol, timeframe, chart }: OrderedChart,
  { png, size }: Drawn,
  generatedAt: Date,
  record: { readonly facts: PictureFacts; readonly retentionMs: number },
): Promise<StoredPicture | undefined> {
  const { chartTemplateId, request, foresight } = chart;
  const suffix = claimId.replaceAll(/[^0-9a-f]/g, '').slice(0, 8);
  const name = libraryPngName(folder, { chartTemplateId, suffix }, generatedAt);
  const metadata = {
    claimId,
    requestHash: request.requestHash,
    source: foresight.source,
    symbol,
    timeframe,
    chartTemplateId,
    generatedAt: generatedAt.toISOString(),
    sha256: createHash('sha256').update(png).digest('hex'),
    width: String(size.width),
    height: String(size.height),
    record: JSON.stringify(record),
  };
  const object = { name, body: png, contentType: 'image/png', metadata, when: 'absent' } as const;
  const { status } = await artifacts.put(object);
  // A reply that was lost looks like a name that is taken.
  const there = status === 'stored' ? metadata : (await artifacts.look(name))?.metadata;
  if (there?.claimId !== claimId || there.sha256 !== metadata.sha256) return undefined;
  return pictureIn(artifacts, { name, size: png.length, metadata });
}

/** What a holder who died had paid for and stored before anybody knew of it. */
export async function findPicture(
  artifacts: ArtifactStore,
  { claimId, folder }: PictureClaim,
  { request, foresight }: OrderedChart['chart'],
): Promise<StoredPicture | undefined> {
  const { requestHash } = request;
  const wanted = { claimId, requestHash, source: foresight.source };
  // The newest: one that was too old for an answer may lie beside it.
  const object = (await artifacts.list(folder)).findLast(({ metadata }) =>
    Object.entries(wanted).every(([key, value]) => metadata[key] === value),
  );
  return object && pictureIn(artifacts, object);
}

/** Of a picture that was found alone; `undefined`: it does not say what is needed to record it. */
export function recordIn(
  artifacts: ArtifactStore,
  object: Pick<ObjectInfo, 'name' | 'size' | 'metadata'>,
): Snapshot | undefined {
  try {
    const { facts, retentionMs } = JSON.parse(object.metadata.record ?? '');
    const found = newSnapshot({ ...facts, ...pictureIn(artifacts, object) }, retentionMs);
    const { id, ...data } = found;
    return parseSnapshot(id, data);
  } catch {
    return undefined;
  }
}

function pictureIn(
  { bucket }: ArtifactStore,
  { name, size, metadata }: Pick<ObjectInfo, 'size' | 'metadata'> & { readonly name: ObjectName },
): StoredPicture {
  const { symbol, timeframe, chartTemplateId, generatedAt, sha256, source, width, height } =
    metadata as Readonly<Record<keyof StoredPicture, string>>;
  return {
    ...{ symbol, timeframe, chartTemplateId, generatedAt, sha256 },
    source: source as StoredPicture['source'],
    uri: gsUri(bucket, name),
    bytes: size,
    width: Number(width),
    height: Number(height),
  };
}
