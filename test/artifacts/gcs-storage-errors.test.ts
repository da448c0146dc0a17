import { describe, expect, test } from 'vitest';
import { readFailure } from '../../src/artifacts/gcs/storage-errors.js';
import { ApiRefusal, NoAnswer, SignInFailed } from '../../src/google/api-errors.js';

function error(properties: object, message = 'words of somebody else'): Error {
  return Object.assign(new Error(message), properties);
}

function answer(status: number, words?: object): ApiRefusal {
  return new ApiRefusal(status, { error: words });
}

const unclear = (reason: string) => ({ kind: 'unclear', reason });

describe('what an error means', () => {
  test.each([
    ['404', answer(404), { kind: 'absent' }],
    ['412', answer(412), { kind: 'refused' }],
    ['401', answer(401), { kind: 'credentials' }],
    ['403', answer(403), { kind: 'forbidden' }],
    [
      '403 of a rate',
      answer(403, { errors: [{ reason: 'userRateLimitExceeded' }] }),
      unclear('HTTP 403'),
    ],
    ['400', answer(400), { kind: 'impossible', reason: 'HTTP 400' }],
    [
      'a wrong checksum',
      answer(400, { message: 'Provided CRC32C "AAAAAA==" doesn\'t match' }),
      unclear('the body arrived damaged'),
    ],
    ['a redirect', answer(302), { kind: 'impossible', reason: 'HTTP 302' }],
    ['409', answer(409), { kind: 'impossible', reason: 'HTTP 409' }],
    ['408', answer(408), unclear('HTTP 408')],
    ['429', answer(429), unclear('HTTP 429')],
    ['500', answer(500), unclear('HTTP 500')],
    ['no JSON', new ApiRefusal(403, undefined), { kind: 'forbidden' }],
    ['refused', error({ code: 'ECONNREFUSED' }), unclear('the connection was refused')],
    ['reset', error({ code: 'ECONNRESET' }), unclear('the connection was cut')],
    ['no such host', error({ code: 'ENOTFOUND' }), unclear('its name could not be looked up')],
    [
      'a certificate',
      error({ code: 'CERT_HAS_EXPIRED' }),
      unclear('the connection failed (CERT_HAS_EXPIRED)'),
    ],
    [
      'a sentence as a code',
      error({ code: 'Bearer x y' }),
      unclear('the connection failed (unknown)'),
    ],
    ['our bound', new NoAnswer('no answer within 5 s'), unclear('no answer within 5 s')],
    [
      'no credentials',
      new SignInFailed(error({}, 'Could not load the default credentials. Browse to …')),
      { kind: 'credentials' },
    ],
    [
      'a refused sign-in',
      new SignInFailed(error({ code: '400', response: { status: 400 } })),
      { kind: 'credentials' },
    ],
    ['no such key file', new SignInFailed(error({ code: 'ENOENT' })), { kind: 'credentials' }],
    ['nonsense as a key', new SignInFailed(new SyntaxError('x')), { kind: 'credentials' }],
    [
      'a sign-in out of order',
      new SignInFailed(error({ response: { status: 503 } })),
      unclear('the sign-in answered HTTP 503'),
    ],
    [
      'a sign-in not reached',
      new SignInFailed(error({ code: 'ENOTFOUND' })),
      unclear('at the sign-in, its name could not be looked up'),
    ],
    ['not an error at all', 'text', unclear('the connection failed (string)')],
  ])('%s', (_, thrown, meaning) => {
    expect(readFailure(thrown)).toEqual(meaning);
  });
});
