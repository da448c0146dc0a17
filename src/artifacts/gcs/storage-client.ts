import { randomUUID } from 'node:crypto';
import { GoogleAuth } from 'google-gax';
import type { Agents, OptionsOfBufferResponseBody, Response } from 'got';
import { openAgent } from '../../http/agent.js';
import { httpClient } from '../../http/client.js';
import { type ProxySettings, proxyFor } from '../../http/proxy.js';
import { crc32cOf } from './crc32c.js';
import { NoAnswer, SignInFailed, StorageRefusal } from './storage-errors.js';

export interface StorageTarget {
  /** Name without `gs://`. */
  readonly bucket: string;
  /** The emulator's URL with its scheme, as in STORAGE_EMULATOR_HOST. No credentials go there. */
  readonly emulator?: string | undefined;
  /** Signs the requests, also to an emulator; by default the application default credentials. */
  readonly auth?: Signer | undefined;
  readonly proxy?: ProxySettings | undefined;
}

/** What google-auth-library has for it. */
export type Signer = Pick<GoogleAuth, 'getRequestHeaders'>;

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

interface Call {
  readonly method: 'DELETE' | 'GET' | 'POST';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

const SERVICE = 'https://storage.googleapis.com';
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
/** Longest silence of a socket that no call uses; the service keeps them for minutes. */
const IDLE_MS = 4_000;
const TUNNEL_MS = 5_000;

/**
 * The calls of Cloud Storage's JSON API that a step needs, each sent once and ended by its signal.
 * They reject with `StorageRefusal`, `NoAnswer`, `SignInFailed` or an error of got's.
 *
 * Not `@google-cloud/storage`: it took 0.2 s to load, a third of a step's processor time for its
 * uploads, could not be stopped, and deleted objects whose checksum it did not like.
 */
export class StorageClient {
  readonly #bucket: string;
  readonly #origin: string;
  /** Of all calls but uploads: emulators are asked as Google's own clients ask them, without it. */
  readonly #prefix: string;
  readonly #signer: Signer | undefined;
  readonly #agent: Agents;
  #signedIn: Promise<unknown> | undefined;

  /** Throws `ConfigError` when the proxy cannot be used. */
  constructor({ bucket, emulator, auth, proxy = {} }: StorageTarget) {
    const origin = new URL(emulator ?? SERVICE);
    this.#bucket = `b/${encodeURIComponent(bucket)}`;
    this.#origin = origin.origin;
    this.#prefix = emulator === undefined ? '/storage/v1' : '';
    this.#signer = auth ?? (emulator === undefined ? new GoogleAuth({ scopes: SCOPE }) : undefined);
    const bounds = { idleMs: IDLE_MS, tunnelMs: TUNNEL_MS };
    const agent = openAgent(origin, proxyFor(origin, proxy), bounds);
    this.#agent = { [origin.protocol === 'http:' ? 'http' : 'https']: agent };
  }

  /** Who asks is known to the service, which emulators are not interested in. */
  get isSigned(): boolean {
    return this.#signer !== undefined;
  }

  /** Those of the permissions that the credentials have on the bucket. */
  async testPermissions(permissions: readonly string[], signal: AbortSignal): Promise<string[]> {
    const path = `${this.#prefix}/${this.#bucket}/iam/testPermissions`;
    const { permissions: held = [] } = await this.#json<{ permissions?: string[] }>(
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
    return this.#json({ method: 'GET', path: `${this.#prefix}/${this.#bucket}/o`, query }, signal);
  }

  look(name: string, signal: AbortSignal): Promise<ObjectResource> {
    return this.#json({ method: 'GET', path: this.#pathOf(name) }, signal);
  }

  /** The bytes of one generation, as the service says that they are. */
  async download(name: string, generation: string, signal: AbortSignal): Promise<Buffer> {
    const query = { alt: 'media', generation };
    const { body, headers } = await this.#call(
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
    return this.#json(
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
    await this.#call({ method: 'DELETE', path: this.#pathOf(name), query }, signal);
  }

  #pathOf(name: string): string {
    return `${this.#prefix}/${this.#bucket}/o/${encodeURIComponent(name)}`;
  }

  async #json<T extends object>(call: Call, signal: AbortSignal): Promise<T> {
    const { body } = await this.#call(call, signal);
    const value = parsed(body);
    // Of a proxy, perhaps.
    if (value === undefined) throw new NoAnswer('its answer was not JSON');
    return value as T;
  }

  async #call(call: Call, signal: AbortSignal): Promise<Response<Buffer>> {
    const url = new URL(call.path, this.#origin);
    for (const [key, value] of Object.entries(call.query ?? {})) {
      for (const one of [value].flat()) url.searchParams.append(key, one);
    }
    const options: OptionsOfBufferResponseBody = {
      method: call.method,
      ...(call.body && { body: call.body }),
      headers: { ...(await this.#signature(url, signal)), ...call.headers },
      agent: this.#agent,
      responseType: 'buffer',
      signal,
    };
    const response = await httpClient(url, options);
    if (response.statusCode < 200 || response.statusCode > 299) {
      throw new StorageRefusal(response.statusCode, parsed(response.body));
    }
    return response;
  }

  async #signature(url: URL, signal: AbortSignal): Promise<Record<string, string>> {
    if (!this.#signer) return {};
    try {
      await this.#firstSignIn(this.#signer, url.href, signal);
      return Object.fromEntries(await this.#signer.getRequestHeaders(url.href));
    } catch (error) {
      throw new SignInFailed(error);
    }
  }

  /** Once: parallel uploads would each fetch a token of their own. */
  async #firstSignIn(signer: Signer, url: string, signal: AbortSignal): Promise<void> {
    this.#signedIn ??= signer.getRequestHeaders(url);
    const signedIn = this.#signedIn;
    // One that hangs is bounded by nobody: the next call must not wait for it again.
    const forget = () => {
      if (this.#signedIn === signedIn) this.#signedIn = undefined;
    };
    signal.addEventListener('abort', forget, { once: true });
    try {
      await signedIn;
    } catch (error) {
      forget();
      throw error;
    } finally {
      signal.removeEventListener('abort', forget);
    }
  }
}

function parsed(body: Buffer): object | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
