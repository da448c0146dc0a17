import { ApiRefusal, isPassing, property, readTrouble, text } from '../../google/api-errors.js';

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

/** Reads an error once. */
export function readFailure(error: unknown): StorageFailure {
  return error instanceof ApiRefusal ? readStatus(error) : readTrouble(error);
}

function readStatus({ status, body }: ApiRefusal): StorageFailure {
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

function isRateLimit(error: unknown): boolean {
  const errors = property(error, 'errors');
  const reasons = Array.isArray(errors) ? errors.map((entry) => property(entry, 'reason')) : [];
  return reasons.some((reason) => /rateLimitExceeded/i.test(text(reason)));
}
