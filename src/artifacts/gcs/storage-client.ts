import { randomUUID } from 'node:crypto';
import { NoAnswer } from '../../google/api-errors.js';
import { GoogleApi } from '../../google/google-api.js';
import { SignIn } from '../../google/sign-in.js';
import type { ProxySettings } from '../../http/proxy.js';
import { crc32cOf } from './crc32c.js';

export interface StorageTarget {
  /** Name without `gs://`. */
  readonly bucket: string;
  /** The emulator's URL with its scheme, as in STORAGE_EMULATOR_HOST. No credentials go there. */
  readonly emulator?: string | undefined;
  /** Signs the requests, also to an emulator; by default a sign-in of the service's own. */
  readonly signIn?: SignIn | undefined;
  readonly proxy?: ProxySettings | undefined;
}

/** An object as the API tells of it, as far as it is read here. */
export interface ObjectResource {
  readonly name?: string;
  readonly generation?: string;
  readonly size?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** What is told of an object when it is stored. */
export interface ObjectDescription {
  readonly contentType: string;
  readonly cacheControl?: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface ObjectPage {
  readonly items?: readonly ObjectResource[];
  readonly nextPageToken?: string;
}

const SERVICE = 'https://storage.googleapis.com';

/**
 * The calls of Cloud Storage's JSON API that a step needs, each sent once and ended by its signal.
 * They reject as those of `GoogleApi` do.
 *
 * Not `@google-cloud/storage`: it took 0.2 s to load, a third of a step's processor time for its
 * uploads, could not be stopped, and deleted objects whose checksum it did not like.
 */
export class StorageClient {
  /** Who asks is known to the service, which emulators are not interested in. */
  readonly isSigned: boolean;
  readonly #bucket: string;
  /** Of all calls but uploads: emulators are asked as Google's own clients ask them, without it. */
  readonly #prefix: string;
  readonly #api: GoogleApi;

  /** Throws `ConfigError` when the proxy cannot be used. */
  constructor({ bucket, emulator, signIn: given, proxy }: StorageTarget) {
    const signIn = given ?? (emulator === undefined ? new SignIn() : undefined);
    this.isSigned = signIn !== undefined;
    this.#bucket = `b/${encodeURIComponent(bucket)}`;
    this.#prefix = emulator === undefined ? '/storage/v1' : '';
    this.#api = new GoogleApi({ origin: emulator ?? SERVICE, signIn, proxy });
  }

  /** Those of the permissions that the credentials have on the bucket. */
  async testPermissions(permissions: readonly string[], signal: AbortSignal): Promise<string[]> {
    const path = `${this.#prefix}/${this.#bucket}/iam/testPermissions`;
    const { permissions: held = [] } = await this.#api.json<{ permissions?: string[] }>(
      { method: 'GET', path, query: { permissions } },
      signal,
    );
    return held;
  }

  /** One page of the objects in a folder, without those of its folders. */
  list(
    prefix: string,
    { pageSize, pageToken }: { readonly pageSize: number; readonly pageToken?: string | undefined },
    signal: AbortSignal,
  ): Promise<ObjectPage> {
    const query = {
      prefix,
      delimiter: '/',
      maxResults: String(pageSize),
      ...(pageToken !== undefined && { pageToken }),
    };
    return this.#api.json(
      { method: 'GET', path: `${this.#prefix}/${this.#bucket}/o`, query },
      signal,
    );
  }

  look(name: string, signal: AbortSignal): Promise<ObjectResource> {
    return this.#api.json({ method: 'GET', path: this.#pathOf(name) }, signal);
  }

  /** The bytes of one generation, as the service says that they are. */
  async download(name: string, generation: string, signal: AbortSignal): Promise<Buffer> {
    const query = { alt: 'media', generation };
    const { body, headers } = await this.#api.bytes(
      { method: 'GET', path: this.#pathOf(name), query },
      signal,
    );
    const [, sent] = /crc32c=([^,\s]+)/.exec(String(headers['x-goog-hash'] ?? '')) ?? [];
    if (sent !== undefined && sent !== crc32cOf(body))
      throw new NoAnswer('the body arrived damaged');
    return body;
  }

  /** The service compares the checksum and refuses a body that does not have it. */
  insert(
    name: string,
    body: Buffer,
    { metadata, contentType, cacheControl }: ObjectDescription,
    ifGenerationMatch: string,
    signal: AbortSignal,
  ): Promise<ObjectResource> {
    const resource = { contentType, cacheControl, crc32c: crc32cOf(body), metadata };
    const boundary = randomUUID();
    const head = [
      `--${boundary}`,
      'content-type: application/json; charset=utf-8',
      '',
      JSON.stringify(resource),
      `--${boundary}`,
      `content-type: ${contentType}`,
      '',
      '',
    ].join('\r\n');
    return this.#api.json(
      {
        method: 'POST',
        path: `/upload/storage/v1/${this.#bucket}/o`,
        query: { uploadType: 'multipart', name, ifGenerationMatch },
        headers: { 'content-type': `multipart/related; boundary=${boundary}` },
        body: Buffer.concat([Buffer.from(head), body, Buffer.from(`\r\n--${boundary}--`)]),
      },
      signal,
    );
  }

  async delete(name: string, ifGenerationMatch: string, signal: AbortSignal): Promise<void> {
    const query = { ifGenerationMatch };
    await this.#api.bytes({ method: 'DELETE', path: this.#pathOf(name), query }, signal);
  }

  #pathOf(name: string): string {
    return `${this.#prefix}/${this.#bucket}/o/${encodeURIComponent(name)}`;
  }
}
