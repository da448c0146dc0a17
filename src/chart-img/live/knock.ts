import type { Response } from 'got';
import { openAgent } from '../../http/agent.js';
import { httpClient } from '../../http/client.js';
import { proxyFor } from '../../http/proxy.js';
import { chartEndpoint } from './endpoint.js';
import type { LiveSettings } from './live-provider.js';
import { CallEnded, noAnswerOf } from './no-answer.js';

export type Knocked =
  | {
      readonly kind: 'answer';
      readonly status: number;
      /** The server's clock, to the second; epoch milliseconds. */
      readonly dateMs: number | undefined;
    }
  | { readonly kind: 'no-answer'; readonly message: string };

/**
 * Whether Chart-IMG answers, on the very way that charts take, proxy included. This surely costs
 * nothing: quota is counted by key, and the request bears none, so that there is nobody to charge
 * and the answer is a refusal; nor does it name a symbol that could be drawn. Throws `ConfigError`.
 */
export async function knock(
  { baseUrl, proxy = {} }: LiveSettings,
  timeoutMs: number,
): Promise<Knocked> {
  const endpoint = chartEndpoint(baseUrl);
  const agent = openAgent(endpoint, proxyFor(endpoint, proxy), {
    idleMs: timeoutMs,
    tunnelMs: timeoutMs,
  });
  const call = httpClient.stream(endpoint, {
    method: 'POST',
    json: {},
    agent: { [endpoint.protocol === 'http:' ? 'http' : 'https']: agent },
    isStream: true,
  });
  const deadline = setTimeout(() => call.destroy(new CallEnded('CALL_TIMEOUT')), timeoutMs);
  try {
    const { statusCode: status, headers } = await new Promise<Response>((resolve, reject) => {
      call.once('response', resolve);
      call.once('error', reject);
    });
    const dateMs = Date.parse(headers.date ?? '');
    return { kind: 'answer', status, dateMs: Number.isNaN(dateMs) ? undefined : dateMs };
  } catch (error) {
    return { kind: 'no-answer', message: noAnswerOf(error, timeoutMs).message };
  } finally {
    clearTimeout(deadline);
    // What is left of the answer is nobody's.
    call.on('error', () => undefined);
    call.destroy();
    agent.destroy();
  }
}
