import type { Agent } from 'node:http';
import type { Agents, OptionsOfBufferResponseBody, Response } from 'got';
import { openAgent } from '../http/agent.js';
import { httpClient } from '../http/client.js';
import { type ProxySettings, proxyFor } from '../http/proxy.js';
import { ApiRefusal, NoAnswer } from './api-errors.js';
import type { SignIn } from './sign-in.js';

export interface ApiTarget {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Who asks; absent: nobody wants to know, as with emulators. */
  readonly signIn?: SignIn | undefined;
  /** With every call. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly proxy?: ProxySettings | undefined;
}

export interface ApiCall {
  readonly method: 'DELETE' | 'GET' | 'POST';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

/** Longest silence of a socket that no call uses; the services keep them for minutes. */
const IDLE_MS = 4_000;
const TUNNEL_MS = 5_000;

/**
 * One of Google's JSON APIs: each call is sent once and ended by its signal. They reject with
 * `ApiRefusal`, `NoAnswer`, `SignInFailed` or an error of got's.
 */
export class GoogleApi {
  readonly #origin: string;
  readonly #signIn: SignIn | undefined;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #agent: Agent;
  readonly #agents: Agents;

  /** Throws `ConfigError` when the proxy cannot be used. */
  constructor({ origin, signIn, headers = {}, proxy = {} }: ApiTarget) {
    const url = new URL(origin);
    this.#origin = url.origin;
    this.#signIn = signIn;
    this.#headers = headers;
    const bounds = { idleMs: IDLE_MS, tunnelMs: TUNNEL_MS };
    this.#agent = openAgent(url, proxyFor(url, proxy), bounds);
    this.#agents = { [url.protocol === 'http:' ? 'http' : 'https']: this.#agent };
  }

  /** The answer's JSON: an object or a list. */
  async json<T extends object>(call: ApiCall, signal: AbortSignal): Promise<T> {
    const { body } = await this.bytes(call, signal);
    const value = parsed(body);
    // Of a proxy, perhaps.
    if (value === undefined) throw new NoAnswer('its answer was not JSON');
    return value as T;
  }

  async bytes(call: ApiCall, signal: AbortSignal): Promise<Response<Buffer>> {
    const url = new URL(call.path, this.#origin);
    for (const [key, value] of Object.entries(call.query ?? {})) {
      for (const one of [value].flat()) url.searchParams.append(key, one);
    }
    const options: OptionsOfBufferResponseBody = {
      method: call.method,
      ...(call.body !== undefined && { body: call.body }),
      headers: {
        ...this.#headers,
        ...(await this.#signIn?.headersFor(url, signal)),
        ...call.headers,
      },
      agent: this.#agents,
      responseType: 'buffer',
      signal,
    };
    const response = await httpClient(url, options);
    if (response.statusCode < 200 || response.statusCode > 299) {
      throw new ApiRefusal(response.statusCode, parsed(response.body));
    }
    return response;
  }

  /** Nobody calls any more: no socket keeps the process. */
  close(): void {
    this.#agent.destroy();
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
