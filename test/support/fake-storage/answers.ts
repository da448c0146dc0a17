import type { IncomingHttpHeaders } from 'node:http';
import { crc32cOf } from './crc32c.js';
import { parseMultipart } from './multipart.js';
import { type ObjectStore, pageOf, resourceOf, type StoredObject } from './object-store.js';
import type { Route } from './routes.js';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Request {
  readonly route: Route;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** A byte of the upload flips on its way. */
  readonly corrupt: boolean;
}

export interface World {
  readonly store: ObjectStore;
  /** What the caller may do. */
  readonly permissions: ReadonlySet<string>;
}

/** What a caller of ours never does, though the service would put up with it. */
export class Violation extends Error {}

/** Applies the request to the store and says what the service would. Throws `Violation`. */
export function answer(request: Request, { store, permissions }: World): Answer {
  const { route, headers } = request;
  if (headers.range !== undefined) throw new Violation(`${route.kind}: a range was asked for`);
  const objects = store.bucket(route.bucket);
  if (!objects) return failure(404, 'notFound', 'The specified bucket does not exist.');
  switch (route.kind) {
    case 'permissions': {
      const held = (route.query.permissions ?? '').split(',').filter((p) => permissions.has(p));
      const kind = 'storage#testIamPermissionsResponse';
      // Holding none, the service leaves the list out.
      return json(200, { kind, ...(held.length > 0 && { permissions: held }) });
    }
    case 'list':
      return list(route, objects);
    case 'look': {
      const object = objects.get(route.name);
      return object ? json(200, resourceOf(route.bucket, object)) : noSuchObject(route);
    }
    case 'download':
      return download(route, objects);
    case 'delete':
      return remove(route, objects);
    case 'put':
      return put(request, objects, store);
  }
}

/** An error as the JSON API words it. */
export function failure(status: number, reason: string, message: string): Answer {
  const errors = [{ message, domain: 'global', reason }];
  return json(status, { error: { code: status, message, errors } });
}

export function json(status: number, value: unknown): Answer {
  const body = Buffer.from(JSON.stringify(value));
  return { status, headers: { 'content-type': 'application/json; charset=UTF-8' }, body };
}

function list({ bucket, query }: Route, objects: ReadonlyMap<string, StoredObject>): Answer {
  const size = Math.min(Number(query.maxResults ?? 1_000), 1_000);
  if (!Number.isInteger(size) || size < 1) return failure(400, 'invalid', 'Invalid maxResults');
  const { prefix = '', delimiter = '', pageToken } = query;
  const after = pageToken && Buffer.from(pageToken, 'base64').toString('utf8');
  const { items, prefixes, next } = pageOf(objects.values(), { prefix, delimiter, after, size });
  return json(200, {
    kind: 'storage#objects',
    ...(items.length > 0 && { items: items.map((object) => resourceOf(bucket, object)) }),
    ...(prefixes.length > 0 && { prefixes }),
    ...(next !== undefined && { nextPageToken: Buffer.from(next).toString('base64') }),
  });
}

function download(route: Route, objects: ReadonlyMap<string, StoredObject>): Answer {
  const object = objects.get(route.name);
  const { generation } = route.query;
  if (!object || (generation !== undefined && generation !== object.generation)) {
    return noSuchObject(route);
  }
  const { body, contentType, cacheControl, metadata = {} } = object;
  const custom = Object.entries(metadata).map(([key, value]) => [
    `x-goog-meta-${key.toLowerCase()}`,
    encodeURIComponent(value),
  ]);
  return {
    status: 200,
    headers: {
      'content-type': contentType,
      ...(cacheControl !== undefined && { 'cache-control': cacheControl }),
      'x-goog-generation': object.generation,
      'x-goog-hash': `crc32c=${crc32cOf(body)}`,
      'x-goog-stored-content-encoding': 'identity',
      'x-goog-stored-content-length': String(body.length),
      ...Object.fromEntries(custom),
    },
    body,
  };
}

function remove(route: Route, objects: Map<string, StoredObject>): Answer {
  const { ifGenerationMatch } = route.query;
  if (ifGenerationMatch === undefined) throw new Violation('an unconditional DELETE');
  const object = objects.get(route.name);
  if (!object) return noSuchObject(route);
  if (object.generation !== ifGenerationMatch) return conditionNotMet();
  objects.delete(route.name);
  return { status: 204, headers: {}, body: Buffer.alloc(0) };
}

const RESOURCE_KEYS = ['contentType', 'cacheControl', 'crc32c', 'metadata'];

function put(
  { route, headers, body, corrupt }: Request,
  objects: Map<string, StoredObject>,
  store: ObjectStore,
): Answer {
  const { name } = route;
  const { uploadType, ifGenerationMatch } = route.query;
  if (uploadType !== 'multipart') throw new Violation(`put: uploadType ${uploadType}`);
  if (ifGenerationMatch === undefined) throw new Violation('an unconditional upload');
  if (!/^\d+$/.test(ifGenerationMatch)) return failure(400, 'invalid', 'Invalid generation');
  const bytesOfName = Buffer.byteLength(name);
  if (bytesOfName < 1 || bytesOfName > 1_024 || /[\r\n]/.test(name)) {
    return failure(400, 'invalid', 'Invalid object name');
  }
  const upload = parseMultipart(headers['content-type'] ?? '', body);
  if (typeof upload === 'string') return failure(400, 'parseError', upload);

  const { resource, mediaType, media } = upload;
  const { contentType, cacheControl, crc32c, metadata } = resource;
  const unknown = Object.keys(resource).filter((key) => !RESOURCE_KEYS.includes(key));
  if (unknown.length > 0) throw new Violation(`put: unknown metadata ${unknown.join()}`);
  if (typeof crc32c !== 'string') throw new Violation('put: no crc32c');
  if (typeof contentType !== 'string') throw new Violation('put: no content type');
  if (contentType !== mediaType) return failure(400, 'invalid', 'Content types do not match');
  if (!isText(cacheControl) || !isTexts(metadata)) return failure(400, 'invalid', 'Not text');

  const arrived = corrupt ? flipped(media) : media;
  const calculated = crc32cOf(arrived);
  if (calculated !== crc32c) {
    const message = `Provided CRC32C "${crc32c}" doesn't match calculated CRC32C "${calculated}".`;
    return failure(400, 'invalid', message);
  }
  if ((objects.get(name)?.generation ?? '0') !== ifGenerationMatch) return conditionNotMet();
  const object = { name, body: Buffer.from(arrived), contentType, cacheControl, metadata };
  return json(200, resourceOf(route.bucket, store.put(objects, object)));
}

function noSuchObject({ bucket, name }: Route): Answer {
  return failure(404, 'notFound', `No such object: ${bucket}/${name}`);
}

function conditionNotMet(): Answer {
  const message = 'At least one of the pre-conditions you specified did not hold.';
  return failure(412, 'conditionNotMet', message);
}

function flipped(media: Buffer): Buffer {
  const copy = Buffer.from(media);
  if (copy.length > 0) copy[0] = (copy[0] as number) ^ 0xff;
  return copy;
}

function isText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

function isTexts(value: unknown): value is Record<string, string> | undefined {
  return (
    value === undefined ||
    (typeof value === 'object' &&
      value !== null &&
      Object.values(value).every((entry) => typeof entry === 'string'))
  );
}
