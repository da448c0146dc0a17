import { createHash } from 'node:crypto';
import type { ArtifactStore, ObjectName } from '../artifacts/artifact-store.js';
import { wholePngSize } from '../chart-img/png.js';
import type { ManifestItem } from '../contracts/documents.js';

/** A chart's PNG as the page can show it, or the reason why it cannot. */
export type Picture =
  | {
      readonly kind: 'shown';
      readonly base64: string;
      readonly width: number;
      readonly height: number;
      readonly bytes: number;
      readonly sha256: string;
    }
  | {
      /**
       * - `absent`: no such object;
       * - `altered`: its bytes are not those that the manifest speaks of;
       * - `not-a-png`: its bytes are no whole PNG;
       * - `elsewhere`: it lies in another bucket, which is not followed.
       */
      readonly kind: 'absent' | 'altered' | 'not-a-png' | 'elsewhere';
    };

/** Enough to hide a bucket's latency, few enough to be polite to a disk. */
const LANES = 6;

/** The pictures of all items, in their order. Rejects as the store does when it cannot be used. */
export async function loadPictures(
  items: readonly ManifestItem[],
  artifacts: Pick<ArtifactStore, 'bucket' | 'get'>,
): Promise<Picture[]> {
  const pictures: Picture[] = [];
  const waiting = items.entries();
  const lane = async () => {
    for (const [index, item] of waiting) pictures[index] = await load(item, artifacts);
  };
  await Promise.all(Array.from({ length: Math.min(LANES, items.length) }, lane));
  return pictures;
}

/** The object's name in this bucket; `undefined`: it lies in another one, or nowhere. */
export function nameIn(bucket: string, gsUri: string): ObjectName | undefined {
  const prefix = `gs://${bucket}/`;
  // Half a surrogate pair is in no object's name, and would end in an error further on.
  const isText = Buffer.from(gsUri).toString() === gsUri;
  return isText && gsUri.startsWith(prefix) ? gsUri.slice(prefix.length) : undefined;
}

async function load(
  { png_gcs_uri: uri, meta }: ManifestItem,
  artifacts: Pick<ArtifactStore, 'bucket' | 'get'>,
): Promise<Picture> {
  const name = nameIn(artifacts.bucket, uri);
  if (name === undefined) return { kind: 'elsewhere' };
  const object = await artifacts.get(name);
  if (!object) return { kind: 'absent' };
  const { buffer, byteOffset, length } = object.body;
  const png = Buffer.from(buffer, byteOffset, length);
  const sha256 = createHash('sha256').update(png).digest('hex');
  if (meta && meta.sha256 !== sha256) return { kind: 'altered' };
  const size = wholePngSize(png);
  if (!size) return { kind: 'not-a-png' };
  return { kind: 'shown', base64: png.toString('base64'), ...size, bytes: png.length, sha256 };
}
