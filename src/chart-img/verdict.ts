import { isJsonObject } from '../contracts/documents.js';
import type { Redactor } from '../log/redact.js';
import type { ProviderAnswer } from './chart-provider.js';
import { type PngSize, wholePngSize } from './png.js';

/**
 * What an answer means for the chart and for the account that asked:
 * - `chart`: here it is;
 * - `chart-wrong`: nobody can draw this chart;
 * - `key-bad`: this account's key is not accepted;
 * - `plan-too-small`: this account's plan cannot draw it, a larger one may;
 * - `quota-gone`: this account has nothing left today;
 * - `quota-unsure`: a 429 of unknown text; twice in a row it is `quota-gone`;
 * - `too-fast`: this account asked too often; nothing else is wrong;
 * - `try-again`: the service stumbled.
 */
export type Verdict =
  | { readonly kind: 'chart'; readonly png: Buffer; readonly size: PngSize }
  | {
      readonly kind:
        | 'chart-wrong'
        | 'key-bad'
        | 'plan-too-small'
        | 'quota-gone'
        | 'quota-unsure'
        | 'too-fast'
        | 'try-again';
      readonly httpStatus?: number;
      /** The provider's own words, cut; or ours where it said nothing. */
      readonly message: string;
      readonly retryAfterMs?: number;
    };

const MESSAGE_MAX = 300;

/**
 * Pure: the table of Chart-IMG's answers (its API documentation, v2, as of 2025-11). What it says is
 * quoted in documents and file names: keys are masked here, before a cut leaves half of one.
 */
export function judge(answer: ProviderAnswer, redact: Redactor = (text) => text): Verdict {
  if (answer.kind === 'no-answer') {
    return { kind: 'try-again', message: oneLine(redact(answer.message)) };
  }
  const { status, body, retryAfterMs } = answer;
  if (status === 200) {
    const size = wholePngSize(body);
    return size
      ? { kind: 'chart', png: body, size }
      : { kind: 'chart-wrong', httpStatus: status, message: 'the answer was not a whole PNG' };
  }
  const message = oneLine(redact(wordsOf(body))) || `HTTP ${status} without a message`;
  return {
    kind: meaningOf(status, message),
    httpStatus: status,
    message,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

function meaningOf(status: number, message: string): Exclude<Verdict['kind'], 'chart'> {
  switch (status) {
    case 401:
      return 'key-bad';
    case 403:
      if (/layout/i.test(message)) return 'chart-wrong';
      return /exceed max usage/i.test(message) ? 'plan-too-small' : 'key-bad';
    case 429:
      if (/limit exceeded/i.test(message)) return 'quota-gone';
      return /too many requests/i.test(message) ? 'too-fast' : 'quota-unsure';
    case 500:
    case 502:
    case 503:
    case 504:
      return 'try-again';
    default:
      return 'chart-wrong';
  }
}

/** The message in any of the shapes that Chart-IMG's errors come in. */
function wordsOf(body: Buffer): string {
  const text = body.toString('utf8');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    parsed = text;
  }
  return readable(parsed, MAX_DEPTH) ?? '';
}

/** Cut by code points: half a surrogate pair is no text. */
function oneLine(text: string): string {
  const line = text
    .slice(0, 4 * MESSAGE_MAX)
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  return [...line].slice(0, MESSAGE_MAX).join('').slice(0, MESSAGE_MAX);
}

/** Deeper than any error that was seen; a body of brackets alone would end the stack. */
const MAX_DEPTH = 8;

/** The first words found that are not blank. */
function readable(value: unknown, depth: number): string | undefined {
  if (typeof value === 'string') return value.trim() === '' ? undefined : value;
  if (depth === 0) return undefined;
  if (Array.isArray(value)) {
    const lines = value.flatMap((entry) => readable(entry, depth - 1) ?? []);
    return lines.length > 0 ? lines.join('; ') : undefined;
  }
  if (!isJsonObject(value)) return undefined;
  const { msg, param } = value;
  if (typeof msg === 'string') return typeof param === 'string' ? `${param}: ${msg}` : msg;
  for (const part of [value.message, value.error, value.errors]) {
    const words = readable(part, depth - 1);
    if (words !== undefined) return words;
  }
  return undefined;
}
