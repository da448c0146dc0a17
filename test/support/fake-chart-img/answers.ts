import type { IncomingHttpHeaders } from 'node:http';
import { supportedIntervals } from '../../../src/chart-img/intervals.js';
import { bulkyPng, smallPng } from '../small-png.js';
import { type KnownKey, PLANS } from './plans.js';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export const PATH = '/v2/tradingview/advanced-chart';

/** What the service documents; a parameter that it does not know it would ignore, this fake does not. */
const PARAMETERS = new Set([
  ...['symbol', 'interval', 'width', 'height', 'style', 'theme', 'scale', 'session', 'timezone'],
  ...['format', 'range', 'override', 'studies', 'drawings', 'watermark', 'shiftLeft', 'shiftRight'],
]);
const SYMBOL = /^[A-Z0-9_]{1,20}:[A-Za-z0-9._!&-]{1,40}$/;
const SMALLEST = { width: 400, height: 300 };
const DEFAULT_SIZE = { width: 800, height: 600 };

/** An error in the shape in which the service documents most of them. */
export function refusal(status: number, message: string): Answer {
  return json(status, { message });
}

export function json(status: number, body: unknown): Answer {
  const headers = { 'content-type': 'application/json' };
  return { status, headers, body: Buffer.from(JSON.stringify(body)) };
}

/** Who asks and how; `undefined`: nothing is wrong with it. */
export function refuseAddress({ method, path, headers }: Asked): Answer | undefined {
  if (path !== PATH || method !== 'POST') return refusal(404, 'Not Found');
  if (!headers['x-api-key']) return refusal(401, 'Invalid Request');
  return undefined;
}

/** The chart, or what is wrong with the question. */
export function draw({ headers, body }: Asked, { plan }: KnownKey, bytes?: number): Answer {
  if (headers['content-type'] !== 'application/json') return refusal(400, 'Bad Request');
  let asked: unknown;
  try {
    asked = JSON.parse(body.toString('utf8'));
  } catch {
    return refusal(400, 'Bad Request');
  }
  if (typeof asked !== 'object' || asked === null || Array.isArray(asked)) {
    return refusal(400, 'Bad Request');
  }
  const parameters = asked as Readonly<Record<string, unknown>>;
  const wrong = Object.entries(parameters).flatMap(([param, value]) => {
    const msg = complaint(param, value);
    return msg === undefined ? [] : [{ value, msg, param, location: 'body' }];
  });
  if (parameters.symbol === undefined) {
    wrong.push({ value: undefined, msg: 'is required', param: 'symbol', location: 'body' });
  }
  if (wrong.length > 0) return json(422, wrong);
  if (!SYMBOL.test(String(parameters.symbol))) return refusal(422, 'Invalid Symbol');

  const { maxWidth, maxHeight, maxParameters } = PLANS[plan];
  const { width, height } = { ...DEFAULT_SIZE, ...parameters } as typeof DEFAULT_SIZE;
  if (width > maxWidth || height > maxHeight) {
    return refusal(403, `Exceed Max Usage Resolution Limit (${maxWidth}x${maxHeight})`);
  }
  if (lengthOf(parameters.studies) + lengthOf(parameters.drawings) > maxParameters) {
    return refusal(403, `Exceed Max Usage Parameter Limit (${maxParameters})`);
  }
  return chart(width, height, bytes);
}

function chart(width: number, height: number, bytes?: number): Answer {
  const body = pngOf(width, height, bytes);
  return { status: 200, headers: { 'content-type': 'image/png' }, body };
}

function complaint(param: string, value: unknown): string | undefined {
  switch (param) {
    case 'symbol':
      return typeof value === 'string' ? undefined : 'must be a string';
    case 'interval':
      return supportedIntervals().includes(String(value))
        ? undefined
        : 'must be a supported interval';
    case 'width':
    case 'height':
      return Number.isInteger(value) && (value as number) >= SMALLEST[param]
        ? undefined
        : `must be an integer of at least ${SMALLEST[param]}`;
    case 'studies':
    case 'drawings':
      return Array.isArray(value) && value.every((entry) => typeof entry?.name === 'string')
        ? undefined
        : 'must be a list of named objects';
    case 'format':
      return value === 'png' || value === 'jpeg' ? undefined : 'must be png or jpeg';
    default:
      return PARAMETERS.has(param) ? undefined : 'is not a parameter';
  }
}

function lengthOf(list: unknown): number {
  return Array.isArray(list) ? list.length : 0;
}

const pngs = new Map<string, Buffer>();

/** Made once a size: a judge that shares two cores with the judged must not be busy drawing. */
function pngOf(width: number, height: number, bytes: number | undefined): Buffer {
  const name = `${width}x${height} ${bytes}`;
  const png =
    pngs.get(name) ??
    (bytes === undefined ? smallPng(width, height) : bulkyPng(width, height, bytes));
  pngs.set(name, png);
  return png;
}
