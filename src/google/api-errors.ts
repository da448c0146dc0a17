/** None in time, or none that says what happened; `message` tells which. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/** An answer that is none of the good ones. */
export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal';
  readonly status: number;
  /** The answer’s JSON, or `undefined`. Its words are somebody else’s. */
  readonly body: unknown;

  constructor(status: number, body: unknown) {
    super(`HTTP ${status}`);
    this.status = status;
    this.body = body;
  }
}

/** An error on the way to an access token, before the request itself was sent. */
export class SignInFailed extends Error {
  override readonly name = 'SignInFailed';

  constructor(cause: unknown) {
    super('no access token', { cause });
  }
}

/** What came in the way of an answer. */
export type Trouble =
  /** Google does not accept the credentials, or there are none. */
  | { readonly kind: 'credentials' }
  /** Nobody knows whether the request was applied; another try may help. */
  | { readonly kind: 'unclear'; readonly reason: string };

/**
 * What an error means that is no `ApiRefusal`. The reasons are our own words: error objects carry
 * the request, and that our token.
 */
export function readTrouble(error: unknown): Trouble {
  if (error instanceof NoAnswer) return { kind: 'unclear', reason: error.message };
  if (error instanceof SignInFailed) return readSignIn(error.cause);
  const code = text(property(error, 'code'));
  const reason = NETWORK_REASONS[code];
  if (reason !== undefined) return { kind: 'unclear', reason };
  const name = error instanceof Error ? error.name : typeof error;
  return { kind: 'unclear', reason: `the connection failed (${plain(code || name)})` };
}

/** Whatever is wrong with them is for a person to mend, unless it was the network. */
function readSignIn(error: unknown): Trouble {
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

/** An HTTP status after which the same request may be answered in another way. */
export function isPassing(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
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

/** What somebody else's JSON, or error, holds under a name. */
export function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A code or a class name, never a sentence that somebody else wrote. */
function plain(word: string): string {
  return /^[\w-]{1,50}$/.test(word) ? word : 'unknown';
}
