import { setMaxListeners } from 'node:events';
import type { Agent, ClientRequest } from 'node:http';
import type { Request } from 'got';
import { openAgent } from '../../http/agent.js';
import { httpClient } from '../../http/client.js';
import { type ProxySettings, proxyFor } from '../../http/proxy.js';
import type { ChartProvider, Foresight, ProviderAnswer, ProviderCall } from '../chart-provider.js';
import type { ChartRequest } from '../chart-request.js';
import { chartEndpoint } from './endpoint.js';
import { CallEnded, noAnswerOf } from './no-answer.js';
import { retryAfterMs } from './retry-after.js';

export interface LiveSettings {
  /** `https://api.chart-img.com`; https, or http on the loopback. */
  readonly baseUrl: string;
  /** For one call, to the last byte of its answer; 35 s unless said otherwise. */
  readonly timeoutMs?: number;
  readonly proxy?: ProxySettings;
  /** How long a socket is kept for the next call. */
  readonly idleMs?: number;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

/** What is longer is no chart: the largest plan draws four million pixels. */
export const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
/** Of an answer that is too long: what an error's words need, and no whole chart. */
const EXCERPT_BYTES = 4 * 1024;

/**
 * Chart-IMG over HTTP. Importing this file loads got (0.1 s): whoever needs it imports it late.
 * Every call is bounded in time and in bytes.
 */
export class LiveProvider implements ChartProvider {
  readonly #endpoint: URL;
  readonly #timeoutMs: number;
  readonly #agent: Agent;
  readonly #now: () => number;

  /** Throws `ConfigError` when the URL of the service or of the proxy cannot be used. */
  constructor(settings: LiveSettings) {
    const { baseUrl, timeoutMs = 35_000, proxy = {}, idleMs = 4_000, now = Date.now } = settings;
    this.#endpoint = chartEndpoint(baseUrl);
    this.#timeoutMs = timeoutMs;
    this.#now = now;
    this.#agent = openAgent(this.#endpoint, proxyFor(this.#endpoint, proxy), {
      idleMs,
      tunnelMs: timeoutMs,
    });
  }

  async foresee(charts: readonly ChartRequest[]): Promise<Map<ChartRequest, Foresight>> {
    return new Map(charts.map((chart) => [chart, { kind: 'call', source: 'chart-img' }]));
  }

  async render({ chart, apiKey, signal }: ProviderCall): Promise<ProviderAnswer> {
    if (apiKey === undefined) throw new Error('a live call needs a key');
    signal.throwIfAborted();
    // A run's calls share it, each with a listener: dozens are no leak to be warned of on stderr.
    setMaxListeners(0, signal);
    const call = httpClient.stream(this.#endpoint, {
      method: 'POST',
      agent: { [this.#endpoint.protocol === 'http:' ? 'http' : 'https']: this.#agent },
      isStream: true,
      signal,
      json: chart.body,
      headers: { 'x-api-key': apiKey },
    });
    // Ours and not got's: after a 101 got waits for ever, whatever its timeouts.
    const end = (code: CallEnded['code']) => call.destroy(new CallEnded(code));
    const deadline = setTimeout(end, this.#timeoutMs, 'CALL_TIMEOUT');
    call.once('request', (request: ClientRequest) => {
      request.once('upgrade', (_response, socket) => {
        socket.destroy();
        end('HTTP_101');
      });
    });
    try {
      const body = await readBody(call);
      if (!call.response) throw new Error('a body came without its head');
      const { statusCode: status, headers } = call.response;
      const waitMs = retryAfterMs(headers, this.#now());
      return {
        kind: 'answer',
        status,
        body,
        ...(waitMs !== undefined && { retryAfterMs: waitMs }),
      };
    } catch (error) {
      signal.throwIfAborted();
      return noAnswerOf(error, this.#timeoutMs);
    } finally {
      clearTimeout(deadline);
      // Without it got goes on listening to the run's signal, answer in hand.
      call.destroy();
    }
  }

  /** Closes the sockets, those in use too; calls still open end without an answer. */
  close(): void {
    this.#agent.destroy();
  }
}

/** To leave the loop closes the connection: what else would come is never read. */
async function readBody(call: Request): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of call as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) return Buffer.concat(chunks, EXCERPT_BYTES);
  }
  return Buffer.concat(chunks, length);
}
