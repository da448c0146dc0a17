import { RequestError } from 'got';
import type { ProviderAnswer } from '../chart-provider.js';

type NoAnswer = Extract<ProviderAnswer, { kind: 'no-answer' }>;

/** Why we ended a call ourselves: its time was over, or it was answered with another protocol. */
export class CallEnded extends Error {
  override readonly name = 'CallEnded';
  readonly code: 'CALL_TIMEOUT' | 'HTTP_101';

  constructor(code: CallEnded['code']) {
    super(code);
    this.code = code;
  }
}

/**
 * got's errors hold the whole request, key included, and print it: they end here. Nor do their
 * messages pass, which others wrote; their codes do. An error that is not got's is thrown again:
 * a bug of ours.
 */
export function noAnswerOf(error: unknown, timeoutMs: number): NoAnswer {
  if (!(error instanceof RequestError)) throw error;
  const { code } = error;
  if (code === ('CALL_TIMEOUT' satisfies CallEnded['code'])) {
    const message = `no whole answer within ${timeoutMs / 1_000} s`;
    return { kind: 'no-answer', reason: 'timeout', message };
  }
  const message = `${wordsFor(code)} (${code})`;
  return { kind: 'no-answer', reason: 'network', message, ...(isUnsent(code) && { unsent: true }) };
}

/** There was no connection that a request could have gone through. */
function isUnsent(code: string): boolean {
  return NO_CONNECTION.has(code) || code.startsWith('PROXY_HTTP_') || CERTIFICATE.test(code);
}

const NO_CONNECTION = new Set(['EAI_AGAIN', 'ECONNREFUSED', 'ENOTFOUND']);

function wordsFor(code: string): string {
  const words = WORDS[code];
  if (words !== undefined) return words;
  if (code.startsWith('PROXY_HTTP_')) return 'the proxy refused to connect';
  if (code.startsWith('HPE_')) return NO_HTTP;
  return CERTIFICATE.test(code) ? 'its certificate is not trusted' : 'no answer';
}

const NO_HTTP = 'the answer was not HTTP as it should be';

const WORDS: Readonly<Record<string, string>> = {
  EAI_AGAIN: 'the host name could not be looked up',
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection broke off',
  ENOTFOUND: 'the host name is unknown',
  EPIPE: 'the connection broke off',
  ETIMEDOUT: 'no connection came about',
  HPE_HEADER_OVERFLOW: 'the headers of the answer were too long',
  HTTP_101: NO_HTTP,
};

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_/;
