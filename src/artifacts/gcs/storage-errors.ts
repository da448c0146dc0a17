/** What an error of the client library, of the network or of the sign-in means for a request. */
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

/** An error on the way to an access token, before any request to Storage was sent. */
export class SignInFailed extends Error {
  override readonly name = 'SignInFailed';

  constructor(cause: unknown) {
    super('no access token', { cause });
  }
}

/**
 * Reads an error once. The reasons are our own words: the messages of the library quote the
 * server's body, and its error objects carry the request with its token.
 */
export function readFailure(error: unknown): StorageFailure {
  if (error instanceof NoAnswer) return { kind: 'unclear', reason: error.message };
  if (error instanceof SignInFailed) return readSignIn(error.cause);
  if (isFromSignIn(error)) return readSignIn(error);
  const status = statusOf(error);
  return status === undefined ? readNetwork(error) : readStatus(status, error);
}

function readStatus(status: number, error: unknown): StorageFailure {
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
  const type = text(property(error, 'type'));
  const reason = NETWORK_REASONS[code] ?? NETWORK_REASONS[type];
  if (reason !== undefined) return { kind: 'unclear', reason };
  const name = error instanceof Error ? error.name : typeof error;
  return { kind: 'unclear', reason: `the connection failed (${plain(code || type || name)})` };
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

/** A token that ran out is renewed inside the library, in the middle of a request. */
function isFromSignIn(error: unknown): boolean {
  return (
    text(property(error, 'message')).includes('Could not load the default credentials') ||
    // gaxios, which only the sign-in uses, hangs the request on its errors.
    typeof property(error, 'config') === 'object'
  );
}

/** The library has numbers, gaxios strings of digits, and some errors only a response. */
function statusOf(error: unknown): number | undefined {
  const response = property(error, 'response');
  const candidates = [
    property(error, 'code'),
    property(response, 'status'),
    property(response, 'statusCode'),
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
  CONTENT_DOWNLOAD_MISMATCH: 'the body arrived damaged',
  EAI_AGAIN: 'its name could not be looked up',
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was cut',
  EHOSTUNREACH: 'its host cannot be reached',
  ENETUNREACH: 'its network cannot be reached',
  ENOTFOUND: 'its name could not be looked up',
  EPIPE: 'the connection was cut',
  ERR_STREAM_PREMATURE_CLOSE: 'the connection was cut',
  ETIMEDOUT: 'no connection in time',
  'body-timeout': 'no answer in time',
  'invalid-json': 'its answer was not JSON',
  'request-timeout': 'no answer in time',
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
