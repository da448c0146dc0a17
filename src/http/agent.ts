import * as http from 'node:http';
import * as https from 'node:https';
import type { Duplex } from 'node:stream';
import { ConfigError } from '../failures.js';

export interface AgentSettings {
  /** Longest silence of a socket that no call uses; milliseconds. */
  readonly idleMs: number;
  /** For a proxy to open its tunnel; milliseconds. */
  readonly tunnelMs: number;
}

/** The sockets of one run: each serves call after call, and `destroy` closes them all. */
export function openAgent(
  endpoint: URL,
  proxy: URL | undefined,
  { idleMs, tunnelMs }: AgentSettings,
): http.Agent {
  // An idle socket is closed by us before the service may do it: a call that is sent into a
  // closing connection is lost, and its unit of quota with it.
  const options = { keepAlive: true, timeout: idleMs };
  if (endpoint.protocol === 'http:') return new http.Agent(options);
  return proxy ? new TunnelAgent(proxy, tunnelMs, options) : new https.Agent(options);
}

/** A proxy that did not open the tunnel. */
class ProxyRefused extends Error {
  override readonly name = 'ProxyRefused';
  readonly code: string;

  constructor(status: number) {
    super(`the proxy refused (HTTP ${status})`);
    this.code = `PROXY_HTTP_${status}`;
  }
}

/**
 * https through the CONNECT of a proxy, which thus sees neither key nor chart. A refusal of the
 * proxy is an error and never an answer, as it is with `https-proxy-agent`: its 403 would set a good
 * key aside, its 429 mark an account as used up.
 */
class TunnelAgent extends https.Agent {
  readonly #proxy: URL;
  readonly #authorization: string | undefined;
  readonly #tunnelMs: number;
  readonly #opening = new Set<http.ClientRequest>();

  constructor(proxy: URL, tunnelMs: number, options: https.AgentOptions) {
    super(options);
    this.#proxy = proxy;
    this.#authorization = authorizationFor(proxy);
    this.#tunnelMs = tunnelMs;
  }

  override createConnection(
    options: https.RequestOptions,
    done: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    // Node's type forgets that there is no socket where there is an error.
    const fail = done as (error: Error) => void;
    const request = this.#connect(`${options.host}:${options.port}`);
    this.#opening.add(request);
    request.once('close', () => this.#opening.delete(request));
    request.once('error', fail);
    request.once('connect', ({ statusCode = 0 }: http.IncomingMessage, socket: Duplex) => {
      request.off('error', fail);
      if (statusCode === 200) {
        const overTls = { ...options, socket } as https.RequestOptions;
        done(null, super.createConnection(overTls) as Duplex);
        return;
      }
      socket.destroy();
      fail(new ProxyRefused(statusCode));
    });
    request.end();
  }

  override destroy(): void {
    for (const request of this.#opening) request.destroy();
    super.destroy();
  }

  #connect(target: string): http.ClientRequest {
    const { protocol, hostname, port } = this.#proxy;
    const { request } = protocol === 'https:' ? https : http;
    return request({
      method: 'CONNECT',
      hostname: hostname.replace(/^\[|\]$/g, ''),
      ...(port && { port }),
      path: target,
      headers: {
        host: target,
        ...(this.#authorization && { 'proxy-authorization': this.#authorization }),
      },
      agent: false,
      signal: AbortSignal.timeout(this.#tunnelMs),
    });
  }
}

function authorizationFor({ username, password }: URL): string | undefined {
  if (!username && !password) return undefined;
  try {
    const user = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    return `Basic ${Buffer.from(user).toString('base64')}`;
  } catch {
    throw new ConfigError('the user or password in HTTPS_PROXY is not percent-encoded');
  }
}
