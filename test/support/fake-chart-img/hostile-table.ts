import { gzipSync } from 'node:zlib';
import type { Verdict } from '../../../src/chart-img/verdict.js';
import { smallPng } from '../small-png.js';
import type { Fault } from './faults.js';

/** A fault, and what the chart's verdict has to be. */
export type HostileRow = readonly [
  name: string,
  fault: Fault,
  kind: Verdict['kind'],
  words?: string | RegExp,
];

export const PNG = smallPng(640, 480).toString('latin1');
const HTML = '<html><body>Please log in</body></html>';
export const NO_PNG = 'the answer was not a whole PNG';
const BROKE_OFF = /^the connection broke off \(\w+\)$/;
const NO_HTTP = /^the answer was not HTTP as it should be \(HPE_\w+\)$/;

/** With its right length; `body` is latin1. */
export function answer(status: number, body: string, headers: Record<string, string> = {}): Fault {
  return { act: 'answer', status, body, headers, encoding: 'latin1' };
}

function says(status: number, body: unknown): Fault {
  return answer(status, JSON.stringify(body), { 'content-type': 'application/json' });
}

/** A head and a body as they are; the connection is closed after them unless said otherwise. */
export function raw(
  head: string | readonly string[],
  body = '',
  end: Extract<Fault, { act: 'raw' }>['end'] = 'close',
): Fault {
  return { act: 'raw', body: `${[head].flat().join('\r\n')}\r\n\r\n${body}`, end };
}

export const OK = 'HTTP/1.1 200 OK';
export const LENGTH = `content-length: ${PNG.length}`;

function chunked(...chunks: readonly string[]): string {
  return chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
}

function flipped(png: string): string {
  const bytes = Buffer.from(png, 'latin1');
  bytes.writeUInt8(bytes.readUInt8(60) ^ 1, 60);
  return bytes.toString('latin1');
}

export const DOCUMENTED: readonly HostileRow[] = [
  ['bad JSON', says(400, { message: 'Bad Request' }), 'chart-wrong', 'Bad Request'],
  ['401', says(401, { message: 'Invalid Request' }), 'key-bad', 'Invalid Request'],
  ['a bad key', says(403, { message: 'Forbidden' }), 'key-bad', 'Forbidden'],
  [
    'a size beyond the plan',
    says(403, { message: 'Exceed Max Usage Resolution Limit (800x600)' }),
    'plan-too-small',
    'Exceed Max Usage Resolution Limit (800x600)',
  ],
  [
    'parameters beyond the plan',
    says(403, { message: 'Exceed Max Usage Parameter Limit (3)' }),
    'plan-too-small',
    'Exceed Max Usage Parameter Limit (3)',
  ],
  ['a layout', says(403, { message: 'Layout Forbidden' }), 'chart-wrong', 'Layout Forbidden'],
  ['404', says(404, { message: 'Not Found' }), 'chart-wrong', 'Not Found'],
  ['409', says(409, { message: 'Session Disconnected' }), 'chart-wrong', 'Session Disconnected'],
  ['a bad symbol', says(422, { message: 'Invalid Symbol' }), 'chart-wrong', 'Invalid Symbol'],
  [
    'a bare array',
    says(422, [{ value: '7m', msg: 'must be supported', param: 'interval', location: 'body' }]),
    'chart-wrong',
    'interval: must be supported',
  ],
  [
    '{errors}',
    says(422, { errors: [{ msg: 'bad' }, { msg: 'worse' }] }),
    'chart-wrong',
    'bad; worse',
  ],
  ['too fast', says(429, { message: 'Too Many Requests' }), 'too-fast', 'Too Many Requests'],
  ['quota gone', says(429, { message: 'Limit Exceeded' }), 'quota-gone', 'Limit Exceeded'],
  ['{error}', says(429, { error: 'Limit Exceeded' }), 'quota-gone', 'Limit Exceeded'],
  ['500', says(500, { message: 'Something Went Wrong' }), 'try-again', 'Something Went Wrong'],
  ['502 of a gateway', answer(502, HTML, { 'content-type': 'text/html' }), 'try-again', HTML],
  ['503 without words', answer(503, ''), 'try-again', 'HTTP 503 without a message'],
  ['504', says(504, { message: 'External Request Timeout' }), 'try-again', /External/],
  ['504 of a gateway', says(504, { message: 'Endpoint request timed out' }), 'try-again', /Endp/],
];

export const NOT_AS_IT_SEEMS: readonly HostileRow[] = [
  ['200 with HTML', answer(200, HTML, { 'content-type': 'image/png' }), 'chart-wrong', NO_PNG],
  ['200 with JSON', says(200, { message: 'Limit Exceeded' }), 'chart-wrong', NO_PNG],
  ['200 with nothing', answer(200, ''), 'chart-wrong', NO_PNG],
  ['200 with half a PNG', answer(200, PNG.slice(0, PNG.length / 2)), 'chart-wrong', NO_PNG],
  ['200 with a PNG less its last byte', answer(200, PNG.slice(0, -1)), 'chart-wrong', NO_PNG],
  ['200 with a wrong CRC', answer(200, flipped(PNG)), 'chart-wrong', NO_PNG],
  ['200 with a PNG and more', answer(200, `${PNG}${HTML}`), 'chart-wrong', NO_PNG],
  [
    '200 with a PNG in gzip',
    answer(200, gzipSync(Buffer.from(PNG, 'latin1')).toString('latin1'), {
      'content-encoding': 'gzip',
    }),
    'chart-wrong',
    NO_PNG,
  ],
  ['200 with a JPEG', answer(200, '\xff\xd8\xff\xe0\0\x10JFIF'), 'chart-wrong', NO_PNG],
  ['200 with a PNG called text', answer(200, PNG, { 'content-type': 'text/html' }), 'chart'],
  ['201 with a PNG', answer(201, PNG), 'chart-wrong'],
  ['206 with a PNG', answer(206, PNG), 'chart-wrong'],
  ['204', raw('HTTP/1.1 204 No Content'), 'chart-wrong', 'HTTP 204 without a message'],
  ['204 with a PNG after it', raw('HTTP/1.1 204 No Content', PNG), 'try-again', NO_HTTP],
  ['304', raw('HTTP/1.1 304 Not Modified'), 'chart-wrong', 'HTTP 304 without a message'],
  ['407 of an unseen proxy', answer(407, HTML), 'chart-wrong', HTML],
  ['429 that is not JSON', answer(429, '{"message": "Limit'), 'quota-unsure'],
  [
    '429 in brotli, as it says',
    answer(429, '\x0b\x02\x80', { 'content-encoding': 'br' }),
    'quota-unsure',
  ],
  ['599', answer(599, 'odd'), 'chart-wrong', 'odd'],
  ['999', raw(['HTTP/1.1 999 Denied', 'content-length: 3'], 'odd'), 'chart-wrong', 'odd'],
];

export const BROKEN: readonly HostileRow[] = [
  ['closed without a word', { act: 'close' }, 'try-again', BROKE_OFF],
  ['a reset', { act: 'raw', body: '', end: 'reset' }, 'try-again', BROKE_OFF],
  ['half a status line', { act: 'raw', body: 'HTTP/1.1 2', end: 'close' }, 'try-again', BROKE_OFF],
  ['no HTTP', { act: 'raw', body: '220 smtp ready\r\n', end: 'close' }, 'try-again', NO_HTTP],
  ['a bare PNG', { act: 'raw', body: PNG, end: 'close' }, 'try-again', NO_HTTP],
  [
    'a head that does not end',
    { act: 'raw', body: `${OK}\r\n${LENGTH}\r\n`, end: 'close' },
    'try-again',
    BROKE_OFF,
  ],
  ['the body cut, then closed', { act: 'cut' }, 'try-again', BROKE_OFF],
  [
    'the body cut, then reset',
    raw([OK, LENGTH], PNG.slice(0, 99), 'reset'),
    'try-again',
    BROKE_OFF,
  ],
  ['a length without a body', raw([OK, LENGTH]), 'try-again', BROKE_OFF],
  ['a length that is too long', raw([OK, 'content-length: 9999'], PNG), 'try-again', BROKE_OFF],
  [
    'a length that is too short',
    raw([OK, 'content-length: 99'], PNG, 'keep'),
    'try-again',
    NO_HTTP,
  ],
  ['a length that is no number', raw([OK, 'content-length: -5'], PNG), 'try-again', NO_HTTP],
  ['two lengths', raw([OK, LENGTH, 'content-length: 5'], PNG), 'try-again', NO_HTTP],
  [
    'a length and chunks',
    raw([OK, LENGTH, 'transfer-encoding: chunked'], PNG),
    'try-again',
    NO_HTTP,
  ],
  [
    'chunks that do not end',
    raw([OK, 'transfer-encoding: chunked'], chunked(PNG)),
    'try-again',
    BROKE_OFF,
  ],
  [
    'a chunk of a wrong length',
    raw([OK, 'transfer-encoding: chunked'], `5\r\n${PNG}`),
    'try-again',
    NO_HTTP,
  ],
  [
    'a header of 64 KB',
    raw([OK, `x: ${'a'.repeat(65_536)}`, LENGTH], PNG),
    'try-again',
    'the headers of the answer were too long (HPE_HEADER_OVERFLOW)',
  ],
  [
    'ten thousand headers',
    raw([OK, ...Array(10_000).fill('a: b'), LENGTH], PNG),
    'try-again',
    'the headers of the answer were too long (HPE_HEADER_OVERFLOW)',
  ],
  [
    '101',
    raw(['HTTP/1.1 101 Switching Protocols', 'upgrade: x', 'connection: upgrade'], '', 'keep'),
    'try-again',
  ],
];

export const UNUSUAL_BUT_WHOLE: readonly HostileRow[] = [
  ['100 before it', raw(['HTTP/1.1 100 Continue', '', OK, LENGTH], PNG), 'chart'],
  [
    '103 and 102 before it',
    raw(
      ['HTTP/1.1 103 Early Hints', 'link: </a>', '', 'HTTP/1.1 102 Processing', '', OK, LENGTH],
      PNG,
    ),
    'chart',
  ],
  [
    'in chunks',
    raw([OK, 'transfer-encoding: chunked'], `${chunked(PNG.slice(0, 50), PNG.slice(50))}0\r\n\r\n`),
    'chart',
  ],
  ['until the end of the connection', raw([OK, 'connection: close'], PNG), 'chart'],
  ['of HTTP/1.0', raw(['HTTP/1.0 200 OK'], PNG), 'chart'],
  [
    'with its length twice',
    raw([OK, LENGTH, `Content-Length: ${PNG.length}`], PNG, 'keep'),
    'try-again',
    NO_HTTP,
  ],
];
