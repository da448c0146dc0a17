import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { judge, type Verdict } from '../../src/chart-img/verdict.js';
import { smallPng } from '../support/small-png.js';

function verdictOf(status: number, body: unknown): Verdict {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return judge({ kind: 'answer', status, body: Buffer.from(text) });
}

/** Every shape that an error's words come in. */
const SHAPES: Readonly<Record<string, (words: string) => unknown>> = {
  '{message}': (message) => ({ message }),
  '{error}': (error) => ({ error }),
  '{error: {message}}': (message) => ({ error: { message } }),
  '{errors: [{msg}]}': (msg) => ({ errors: [{ msg }] }),
  'a bare array': (msg) => [{ value: 'x', msg, param: 'symbol', location: 'body' }],
  'a JSON text': (words) => JSON.stringify(words),
  'no JSON': (words) => words,
};

const ANSWERS: readonly (readonly [number, string, Verdict['kind']])[] = [
  [301, 'Moved Permanently', 'chart-wrong'],
  [302, 'Found', 'chart-wrong'],
  [400, 'Bad Request', 'chart-wrong'],
  [401, 'Invalid Request', 'key-bad'],
  [403, 'Forbidden', 'key-bad'],
  [403, 'Exceed Max Usage Resolution Limit (800x600)', 'plan-too-small'],
  [403, 'Exceed Max Usage Parameter Limit (3)', 'plan-too-small'],
  [403, 'Layout Forbidden', 'chart-wrong'],
  [404, 'Not Found', 'chart-wrong'],
  [409, 'Session Disconnected', 'chart-wrong'],
  [422, 'Invalid Symbol', 'chart-wrong'],
  [422, 'Invalid Interval', 'chart-wrong'],
  [429, 'Too Many Requests', 'too-fast'],
  [429, 'Limit Exceeded', 'quota-gone'],
  [429, 'Slow down', 'quota-unsure'],
  [500, 'Something Went Wrong', 'try-again'],
  [502, 'Bad Gateway', 'try-again'],
  [503, 'Service Unavailable', 'try-again'],
  [504, 'External Request Timeout', 'try-again'],
  [504, 'Endpoint request timed out', 'try-again'],
];

describe.each(ANSWERS)('%i "%s" is %s', (httpStatus, words, kind) => {
  test.each(Object.entries(SHAPES))('as %s', (shape, bodyOf) => {
    const message = shape === 'a bare array' ? `symbol: ${words}` : words;
    expect(verdictOf(httpStatus, bodyOf(words))).toEqual({ kind, httpStatus, message });
  });
});

describe('an answer without words', () => {
  test.each([
    [400, 'chart-wrong'],
    [401, 'key-bad'],
    [403, 'key-bad'],
    [429, 'quota-unsure'],
    [503, 'try-again'],
  ] as const)('%i is %s', (httpStatus, kind) => {
    const message = `HTTP ${httpStatus} without a message`;
    for (const body of ['', '  \n ', 'null', '{}', '[]', '7', '{"message":{}}', '{"errors":[1]}']) {
      expect(verdictOf(httpStatus, body), body).toEqual({ kind, httpStatus, message });
    }
  });
});

describe('a 200', () => {
  test('with a whole PNG is the chart', () => {
    const png = smallPng(800, 600);
    expect(judge({ kind: 'answer', status: 200, body: png })).toEqual({
      kind: 'chart',
      png,
      size: { width: 800, height: 600 },
    });
  });

  test.each([
    ['a PNG that broke off', smallPng().subarray(0, -1)],
    ['an error in words', Buffer.from('{"message":"Limit Exceeded"}')],
    ['nothing', Buffer.alloc(0)],
  ])('with %s is no chart', (_what, body) => {
    const message = 'the answer was not a whole PNG';
    expect(judge({ kind: 'answer', status: 200, body })).toEqual({
      kind: 'chart-wrong',
      httpStatus: 200,
      message,
    });
  });

  test('alone makes a chart of a PNG', () => {
    for (const status of [201, 206, 400, 429, 500]) {
      expect(judge({ kind: 'answer', status, body: smallPng() }).kind, `${status}`).not.toBe(
        'chart',
      );
    }
  });
});

test.each(['timeout', 'network'] as const)('no answer (%s) is tried again', (reason) => {
  const message = 'socket hang up';
  expect(judge({ kind: 'no-answer', reason, message })).toEqual({ kind: 'try-again', message });
});

describe('an error', () => {
  test('keeps what the provider says of waiting', () => {
    const answer = { kind: 'answer', status: 429, body: Buffer.from('Too Many Requests') } as const;
    expect(judge({ ...answer, retryAfterMs: 0 })).toMatchObject({ retryAfterMs: 0 });
    expect(judge({ ...answer, retryAfterMs: 2_000 })).toMatchObject({ retryAfterMs: 2_000 });
    expect(judge(answer)).not.toHaveProperty('retryAfterMs');
  });

  test('names all that is wrong', () => {
    const errors = [{ msg: 'bad', param: 'symbol' }, { msg: 'worse' }, 7, { param: 'x' }];
    expect(verdictOf(422, { errors })).toMatchObject({ message: 'symbol: bad; worse' });
  });

  test('without a message may have its words elsewhere', () => {
    const body = { message: ' ', error: 'Limit Exceeded' };
    expect(verdictOf(429, body)).toMatchObject({ kind: 'quota-gone', message: 'Limit Exceeded' });
  });

  test('cannot end the stack, nor speak to the terminal', () => {
    const deep = (open: string, close: string) => `${open.repeat(1e5)}7${close.repeat(1e5)}`;
    for (const body of [deep('[', ']'), deep('{"error":', '}')]) {
      const answer = { kind: 'answer', status: 429, body: Buffer.from(body) } as const;
      expect(judge(answer)).toMatchObject({ kind: 'quota-unsure' });
    }
    expect(verdictOf(500, 'a\u001b[31mb\u0000c')).toMatchObject({ message: 'a [31mb c' });
  });

  test('that is no answer is one short line, too', () => {
    const answer = { kind: 'no-answer', reason: 'network', message: 'a\n'.repeat(400) } as const;
    expect(judge(answer)).toMatchObject({ message: expect.stringMatching(/^[a ]{1,300}$/) });
  });

  test('is cut at 300 characters', () => {
    const words = 'x'.repeat(299);
    expect(verdictOf(500, `${words}yz`)).toMatchObject({ message: `${words}y` });
  });
});

test('whatever comes is judged in one line of at most 300 characters', () => {
  const statuses = fc.oneof(fc.integer({ min: 100, max: 599 }), fc.constantFrom(401, 403, 429));
  const words = fc.string({ unit: fc.constantFrom('a', '\n', '\r', '\u2028', '\t', ' ') });
  const long = fc
    .integer({ min: 290, max: 310 })
    .map((length) => ' word'.repeat(80).slice(0, length));
  const keys = fc.constantFrom('message', 'error', 'errors', 'msg', 'param');
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(words, long, fc.jsonValue({ maxDepth: 1 })),
      fc.dictionary(keys, tie('value')),
      fc.array(tie('value'), { maxLength: 3 }),
    ),
  }));
  const bodies = fc.oneof(
    value.map((json) => Buffer.from(JSON.stringify(json))),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(statuses, bodies, (status, body) => {
      const verdict = judge({ kind: 'answer', status, body });
      if (verdict.kind === 'chart') throw new Error('of this no chart is made');
      expect(verdict.message).toMatch(/^[^\n\r\v\f\u2028\u2029]{1,300}$/);
      expect(verdict.httpStatus).toBe(status);
    }),
  );
});
