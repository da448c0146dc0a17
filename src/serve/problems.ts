import { STATUS_CODES } from 'node:http';
import type { FastifyError } from 'fastify';
import type { JsonObject } from '../contracts/documents.js';
import { ConfigError, reasonOf, StoreUnavailable } from '../failures.js';
import type { LibraryErrorCode } from '../library/library.js';

/** Stable. The library's own, and what only this door can say. */
export type ProblemCode =
  | Exclude<LibraryErrorCode, 'MANIFEST_WRITE_FAILED'>
  | 'MALFORMED_REQUEST'
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'SNAPSHOT_NOT_FOUND'
  | 'SNAPSHOT_IN_USE'
  | 'PICTURE_GONE'
  | 'BODY_TOO_LARGE'
  | 'MEDIA_TYPE_UNSUPPORTED'
  | 'TOO_MANY_REQUESTS'
  | 'OVERLOADED'
  | 'STOPPING'
  | 'CONFIG_ERROR'
  | 'INFRASTRUCTURE_ERROR';

/** Every code has one status; the README's table is made from this. */
export const PROBLEMS: Readonly<
  Record<ProblemCode, { readonly status: number; readonly what: string }>
> = {
  MALFORMED_REQUEST: { status: 400, what: 'not HTTP, not JSON, or not a URL' },
  UNAUTHORIZED: { status: 401, what: 'no token, or a wrong one' },
  FORBIDDEN: { status: 403, what: 'without a token: from another site than this machine’s own' },
  NOT_FOUND: { status: 404, what: 'there is no such path or method' },
  SNAPSHOT_NOT_FOUND: { status: 404, what: 'there is no chart of this id' },
  SYMBOL_NOT_FOUND: { status: 404, what: 'nobody knows the symbol' },
  CHART_API_MOCK_MISSING: { status: 404, what: 'mock mode: there is no recording of the chart' },
  SNAPSHOT_IN_USE: { status: 409, what: 'a manifest still names the picture; force removes it' },
  SYMBOL_DISABLED: { status: 409, what: 'no chart is made of the symbol' },
  PICTURE_GONE: { status: 410, what: 'the picture was pruned, or lies in another bucket' },
  BODY_TOO_LARGE: { status: 413, what: 'more than 64 KiB' },
  MEDIA_TYPE_UNSUPPORTED: { status: 415, what: 'a body that is not application/json' },
  VALIDATION_FAILED: { status: 422, what: 'errors says what is wrong where' },
  TIMEFRAME_INVALID: { status: 422, what: 'no interval, or none that the symbol is drawn in' },
  RATE_LIMITED: { status: 429, what: 'the quota for work on demand is used up until resetsAt' },
  CHART_API_LIMIT_EXCEEDED: { status: 429, what: 'Chart-IMG says that the quota is used up' },
  TOO_MANY_REQUESTS: { status: 429, what: 'more requests a minute than one address may send' },
  INTERNAL_ERROR: { status: 500, what: 'a bug in this worker' },
  CHART_API_FAILED: { status: 502, what: 'Chart-IMG refused the chart, or did not answer' },
  CONFIG_ERROR: { status: 503, what: 'the server is set up wrong; its log says how' },
  GCS_WRITE_FAILED: { status: 503, what: 'the picture could not be stored' },
  INFRASTRUCTURE_ERROR: { status: 503, what: 'Firestore, Cloud Storage or the disk failed' },
  OVERLOADED: { status: 503, what: 'too many requests are at work; try again' },
  STOPPING: { status: 503, what: 'the server is being stopped' },
  WORKER_LEASE_LOST: { status: 503, what: 'another worker took the chart over; try again' },
};

/** What is said besides the code and one sentence. */
interface More {
  readonly details?: JsonObject | undefined;
  /** `path: message`, each. */
  readonly errors?: readonly string[];
  /** What became of each chart of an order. */
  readonly charts?: readonly unknown[];
  /** For `Retry-After`. */
  readonly retryAfterSeconds?: number | undefined;
}

/** Ends a request with a problem. Its `message` goes to whoever asked. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly code: ProblemCode;
  readonly more: More;

  constructor(code: ProblemCode, message: string, more: More = {}) {
    super(message);
    this.code = code;
    this.more = more;
  }

  get status(): number {
    return PROBLEMS[this.code].status;
  }

  /** RFC 9457. */
  body() {
    const { code, status, message, more } = this;
    const { details, errors, charts } = more;
    const title = STATUS_CODES[status] ?? '';
    return {
      ...{ type: 'about:blank', title, status, code, detail: message },
      ...(details && { details }),
      ...(errors && { errors }),
      ...(charts && { charts }),
    };
  }
}

/** A body, a path or a query that is not what its schema wants; `errors` are `path: message`. */
export class Unfit extends Error {
  readonly errors: readonly string[];

  constructor(errors: readonly string[]) {
    super(errors.join('; '));
    this.errors = errors;
  }
}

/** A code that a step has and a chart on demand has not would be a bug of ours. */
export function asProblemCode(code: LibraryErrorCode): ProblemCode {
  return code === 'MANIFEST_WRITE_FAILED' ? 'INTERNAL_ERROR' : code;
}

/** What whoever asked is told of an error; `INTERNAL_ERROR`: nobody foresaw it. */
export function problemOf(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (error instanceof Unfit) {
    return new HttpProblem('VALIDATION_FAILED', error.message, { errors: error.errors });
  }
  if (error instanceof StoreUnavailable) {
    return new HttpProblem('INFRASTRUCTURE_ERROR', reasonOf(error), { retryAfterSeconds: 5 });
  }
  if (error instanceof ConfigError) return new HttpProblem('CONFIG_ERROR', reasonOf(error));
  const { code = '', statusCode = 500 } = error as Partial<FastifyError>;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new HttpProblem('BODY_TOO_LARGE', 'the body has more than 64 KiB');
  }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new HttpProblem('MEDIA_TYPE_UNSUPPORTED', 'a body has to be application/json');
  }
  // What Fastify could not make a request of.
  if (statusCode >= 400 && statusCode < 500) {
    return new HttpProblem('MALFORMED_REQUEST', reasonOf(error));
  }
  return new HttpProblem('INTERNAL_ERROR', 'a bug in this worker; its log says more');
}
