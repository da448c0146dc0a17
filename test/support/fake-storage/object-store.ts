import { createHash } from 'node:crypto';
import { crc32cOf } from './crc32c.js';

export interface StoredObject {
  readonly name: string;
  readonly body: Buffer;
  readonly generation: string;
  readonly contentType: string;
  readonly cacheControl: string | undefined;
  /** `undefined`: none was sent, which the service leaves out of its answers. */
  readonly metadata: Readonly<Record<string, string>> | undefined;
}

/** The objects of all buckets; generations ascend across them. */
export class ObjectStore {
  readonly #buckets: ReadonlyMap<string, Map<string, StoredObject>>;
  /** Microseconds since 1970, as the service's. The client's `File` makes numbers of them. */
  #generation = 1_766_000_000_000_000n;

  constructor(buckets: readonly string[]) {
    this.#buckets = new Map(buckets.map((bucket) => [bucket, new Map()]));
  }

  bucket(name: string): Map<string, StoredObject> | undefined {
    return this.#buckets.get(name);
  }

  put(bucket: Map<string, StoredObject>, object: Omit<StoredObject, 'generation'>): StoredObject {
    this.#generation += 1n;
    const stored = { ...object, generation: String(this.#generation) };
    bucket.set(object.name, stored);
    return stored;
  }
}

/** The object as the JSON API shows it. */
export function resourceOf(bucket: string, object: StoredObject): Record<string, unknown> {
  const { name, generation, contentType, cacheControl, metadata, body } = object;
  return {
    kind: 'storage#object',
    id: `${bucket}/${name}/${generation}`,
    name,
    bucket,
    generation,
    metageneration: '1',
    contentType,
    ...(cacheControl !== undefined && { cacheControl }),
    storageClass: 'STANDARD',
    size: String(body.length),
    md5Hash: createHash('md5').update(body).digest('base64'),
    crc32c: crc32cOf(body),
    etag: `etag-${generation}`,
    ...(metadata !== undefined && { metadata }),
  };
}

export interface Page {
  readonly items: StoredObject[];
  readonly prefixes: string[];
  readonly next: string | undefined;
}

/** One page, by ascending bytes of the names; a prefix counts like an object. */
export function pageOf(
  objects: Iterable<StoredObject>,
  {
    prefix,
    delimiter,
    after,
    size,
  }: Readonly<Record<'prefix' | 'delimiter', string>> & {
    readonly after: string | undefined;
    readonly size: number;
  },
): Page {
  const entries = new Map<string, StoredObject | undefined>();
  for (const object of objects) {
    if (!object.name.startsWith(prefix)) continue;
    const cut = delimiter === '' ? -1 : object.name.indexOf(delimiter, prefix.length);
    if (cut < 0) entries.set(object.name, object);
    else entries.set(object.name.slice(0, cut + delimiter.length), undefined);
  }
  const compare = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
  const names = [...entries.keys()].sort(compare);
  const rest = names.filter((name) => after === undefined || compare(name, after) > 0);
  const page = rest.slice(0, size);
  return {
    items: page.flatMap((name) => entries.get(name) ?? []),
    prefixes: page.filter((name) => entries.get(name) === undefined),
    next: rest.length > size ? page.at(-1) : undefined,
  };
}
