/** What an error of the service, of the network or of the sign-in means for a request. */
export type StorageFailure =
  /** 404: no such object, or no such bucket. */
  | { readonly kind: 'absent' }
  /** 412: the precondition did not hold. */
  | { readonly kind: 'refused' }
  /** There are no credentials, or Google does not accept them. */
  | { readonly kind: 'credentials' }
  /** 403: these credentials may not do it. */
  | { readonly kind: 'forbidden' }
  /** Nobody knows whether the request was applied; another try may help. */
  | { readonly kind: 'unclear'; readonly reason: string }
  /** The same request would be answered the same way. */
  | { readonly kind: 'impossible'; readonly reason: string };

/** None in time, or none that says what happened; `message` tells which. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** An answer that is none of the good ones. */
export class StorageRefusal extends Error {
  override readonly name = 'StorageRefusal';
  readonly status: number;
  /** The answer’s JSON, or `undefined`. Its words are somebody else’s and go no further. */
  readonly body: unknown;

  constructor(status: number, body: unknown) {
    super(`HTTP ${status}`);
    this.status = status;
    this.body = body;
  }
}

/** An error on the way to an access token, before any request to Storage was sent. */
export class SignInFailed extends Error {
  override readonly name = 'SignInFailed';

  constructor(cause: unknown) {
    super('no access token', { cause });
  }
}

/** Reads an error once. The reasons are our own words: error objects carry the request, and that our token. */
export function readFailure(error: unknown): StorageFailure {
  if (error instanceof NoAnswer) return { kind: 'unclear', reason: error.message };
  if (error instanceof SignInFailed) return readSignIn(error.cause);
  if (error instanceof StorageRefusal) return readStatus(error);
  return readNetwork(error);
}

function readStatus({ status, body }: StorageRefusal): StorageFailure {
  const error = property(body, 'error');
  const reason = `HTTP ${status}`;
  switch (status) {
    case 404:
      return { kind: 'absent' };
    case 412:
      return { kind: 'refused' };
    case 401:
      return { kind: 'credentials' };
    case 403:
      return isRateLimit(error) ? { kind: 'unclear', reason } : { kind: 'forbidden' };
    case 400:
      // The bytes were damaged on their way: the next try sends them anew.
      return /crc32c|md5/i.test(text(property(error, 'message')))
        ? { kind: 'unclear', reason: 'the body arrived damaged' }
        : { kind: 'impossible', reason };
    default:
      return isPassing(status) ? { kind: 'unclear', reason } : { kind: 'impossible', reason };
  }
}

function readNetwork(error: unknown): StorageFailure {
  const code = text(property(error, 'code'));
  const reason = NETWORK_REASONS[code];
  if (reason !== undefined) return { kind: 'unclear', reason };
  const name = error instanceof Error ? error.name : typeof error;
  return { kind: 'unclear', reason: `the connection failed (${plain(code || name)})` };
}

/** Whatever is wrong with them is for a person to mend, unless it was the network. */
function readSignIn(error: unknown): StorageFailure {
  const status = statusOf(error);
  if (status !== undefined) {
    return isPassing(status)
      ? { kind: 'unclear', reason: `the sign-in answered HTTP ${status}` }
      : { kind: 'credentials' };
  }
  const reason = NETWORK_REASONS[text(property(error, 'code'))];
  return reason === undefined
    ? { kind: 'credentials' }
    : { kind: 'unclear', reason: `at the sign-in, ${reason}` };
}

/** Of google-auth-library's errors: numbers, strings of digits, and some only a response. */
function statusOf(error: unknown): number | undefined {
  const response = property(error, 'response');
  const candidates = [
    property(error, 'status'),
    property(error, 'code'),
    property(response, 'status'),
  ];
  return candidates.map(Number).find((status) => status >= 100 && status < 600);
}

function isPassing(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

function isRateLimit(error: unknown): boolean {
  const errors = property(error, 'errors');
  const reasons = Array.isArray(errors) ? errors.map((entry) => property(entry, 'reason')) : [];
  return reasons.some((reason) => /rateLimitExceeded/i.test(text(reason)));
}

const NETWORK_REASONS: Readonly<Record<string, string>> = {
  EAI_AGAIN: 'its name could not be looked up',
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was cut',
  EHOSTUNREACH: 'its host cannot be reached',
  ENETUNREACH: 'its network cannot be reached',
  ENOTFOUND: 'its name could not be looked up',
  EPIPE: 'the connection was cut',
  ERR_STREAM_PREMATURE_CLOSE: 'the connection was cut',
  ETIMEDOUT: 'no connection in time',
};

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A code or a class name, never a sentence that somebody else wrote. */
function plain(word: string): string {
  return /^[\w-]{1,50}$/.test(word) ? word : 'unknown';
}
