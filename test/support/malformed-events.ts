import { gzipSync } from 'node:zlib';
import { binaryEvent, type Sent, structuredObject, subjectOf } from './saved-events.js';
import { seeded } from './seeded.js';

/** Why an event is ignored, word for word: dashboards count by it. */
export const REASONS = {
  version: 'it is no CloudEvent of version 1.0',
  id: 'its id is missing or too long',
  type: 'its type is not an update of a Firestore document',
  subject: 'its subject is no document of flow_runs',
  runId: 'its subject names no run id',
  neither: 'it is no CloudEvent: no ce- headers, and no JSON',
  notJson: 'its body is not JSON',
  noObject: 'its body is no JSON object',
} as const;

export type Reason = keyof typeof REASONS;

export interface Malformed {
  readonly kind: string;
  /** Some are large: made only when they are sent. */
  readonly make: () => { readonly sent: Sent; readonly reason: Reason };
}

type Random = <T>(choices: readonly T[]) => T;
type Kind = (pick: Random, below: (limit: number) => number) => readonly [Sent, Reason];

const MIB = 1_024 * 1_024;
const JSON_TYPES = ['application/json', 'application/cloudevents+json', 'Application/JSON ; a=b'];
const WRONG_TYPES = [
  'google.cloud.firestore.document.v1.deleted',
  'google.cloud.firestore.document.v1.created',
  'google.cloud.firestore.document.v1.updated.withAuthContext',
  'GOOGLE.CLOUD.FIRESTORE.DOCUMENT.V1.UPDATED',
  'google.cloud.pubsub.topic.v1.messagePublished',
  'google.cloud.storage.object.v1.finalized',
  ' ',
  'x'.repeat(3_000),
  '__proto__',
  '{{7*7}}',
];
const HOSTILE_IDS: readonly (readonly [string, Reason])[] = [
  ['..', 'runId'],
  ['.', 'runId'],
  ['%2e%2e', 'runId'],
  ['__proto__', 'runId'],
  ['constructor', 'runId'],
  ['toString', 'runId'],
  ['../../etc/passwd', 'subject'],
  ['a/b', 'subject'],
  ['', 'subject'],
  ['\u202e\u0000\n', 'runId'],
  ['пробег-🚀', 'runId'],
  ['20251221-120000_BTCUSDT_ДЕМО', 'runId'],
  ['20251221-120000_../X_demo', 'subject'],
  ['20251221-120000_BTCUSDT_demo\n', 'runId'],
  ['20251221-120000_BTCUSDT_demo ', 'runId'],
  ["20251221-120000_BTCUSDT_demo'; DROP", 'runId'],
  ['9'.repeat(2_500), 'runId'],
  [`20251221-120000_${'A'.repeat(2_500)}`, 'runId'],
];

/** None may be done, though every one of them speaks of a run that waits to be. */
function kindsFor(runId: string): Readonly<Record<string, Kind>> {
  const good = () => binaryEvent(runId);
  /** `undefined`: the header is left out. */
  const binary = (changes: Sent['headers'], body?: Sent['body']): Sent => {
    const { headers, ...rest } = good();
    const kept = Object.entries({ ...headers, ...changes }).filter(
      ([, value]) => value !== undefined,
    );
    return { ...rest, headers: Object.fromEntries(kept), ...(body !== undefined && { body }) };
  };
  const json = (value: unknown, contentType = JSON_TYPES[0]): Sent => ({
    headers: { 'content-type': contentType },
    body: typeof value === 'string' ? value : JSON.stringify(value),
  });
  const structured = (changes: object) => ({ ...structuredObject(runId), ...changes });
  const event = () => JSON.stringify(structuredObject(runId));

  return {
    'another type, binary': (pick) => [binary({ 'ce-type': pick(WRONG_TYPES) }), 'type'],
    'another type, structured': (pick) => [
      json(structured({ type: pick(WRONG_TYPES) }), pick(JSON_TYPES)),
      'type',
    ],
    'a type that is no text': (pick) => [
      json(structured({ type: pick([null, 5, true, [], {}, ['x'], undefined]) })),
      'type',
    ],
    'JSON that ends too early': (pick, below) => [
      json(event().slice(0, below(event().length - 1)), pick(JSON_TYPES)),
      'notJson',
    ],
    'bytes that are no JSON': (pick, below) => [
      {
        headers: { 'content-type': pick(JSON_TYPES) },
        body: Uint8Array.from({ length: 1 + below(500) }, () => 128 + below(128)),
      },
      'notJson',
    ],
    'a huge event': (_, below) => [
      json(structured({ type: 'x', data: 'A'.repeat(MIB + below(3 * MIB)) })),
      'type',
    ],
    'a huge body': (_, below) => [
      binary({ 'ce-subject': 'documents/other/x' }, new Uint8Array(MIB + below(4 * MIB))),
      'subject',
    ],
    'a huge something': (pick, below) => [
      json(`${pick(['[', '{"a":', '"'])}`.repeat(MIB / 4 + below(MIB / 4))),
      'notJson',
    ],
    'an attribute left out, binary': (pick) => {
      const name = pick(['id', 'type', 'subject', 'specversion'] as const);
      return [binary({ [`ce-${name}`]: undefined }), name === 'specversion' ? 'version' : name];
    },
    'an attribute left out, structured': (pick) => {
      const name = pick(['id', 'type', 'subject', 'specversion'] as const);
      return [json(structured({ [name]: undefined })), name === 'specversion' ? 'version' : name];
    },
    'a subject cut off': (_, below) => {
      const subject = subjectOf(runId).slice(0, below(subjectOf('').length + 20));
      const reason = subject.length > subjectOf('').length ? 'runId' : 'subject';
      return [binary({ 'ce-subject': subject }), reason];
    },
    'another version': (pick) => [
      binary({ 'ce-specversion': pick(['1', '1.', '0.3', '1.0.0', '2.0', '', '1.0x', 'NaN']) }),
      'version',
    ],
    'a version that is no text': (pick) => [
      json(structured({ specversion: pick([1, 1.0, null, ['1.0'], { a: '1.0' }]) })),
      'version',
    ],
    'an id that is none': (pick) => [
      json(structured({ id: pick([null, 0, {}, [], '', 'i'.repeat(201), 'i'.repeat(MIB)]) })),
      'id',
    ],
    'an id that is too long': (_, below) => [
      binary({ 'ce-id': 'i'.repeat(201 + below(5_000)) }),
      'id',
    ],
    'another collection': (pick) => {
      const subject = pick([
        `documents/flow_run/${runId}`,
        `documents/FLOW_RUNS/${runId}`,
        `documents/chart_templates/${runId}`,
        `/documents/flow_runs/${runId}`,
        `flow_runs/${runId}`,
        `documents/a/b/flow_runs/${runId}`,
        `documents//flow_runs/${runId}`,
        runId,
      ]);
      return [binary({ 'ce-subject': subject }), 'subject'];
    },
    'a sub-collection': (pick) => {
      const below = pick(['/step_leases/charts:1H:a', '/', '/a/b/c', '/..', '%2F..%2Fx', '//']);
      return [binary({ 'ce-subject': `${subjectOf(runId)}${below}` }), 'subject'];
    },
    'a hostile id, binary': (pick) => {
      const [id, reason] = pick(HOSTILE_IDS.filter(([{ length }]) => length < 1_000));
      return [binary({ 'ce-subject': encodeURI(subjectOf(id)) }), reason];
    },
    'a hostile id, structured': (pick) => {
      const [id, reason] = pick(HOSTILE_IDS);
      return [json(structured({ subject: subjectOf(id) }), pick(JSON_TYPES)), reason];
    },
    'a subject that cannot be decoded': (pick) => [
      binary({ 'ce-subject': `${subjectOf(runId)}${pick(['%', '%E0%A4%A', '%zz', '%ff'])}` }),
      'subject',
    ],
    'a subject that is no text': (pick) => [
      json(structured({ subject: pick([null, 7, {}, [], [subjectOf(runId)]]) })),
      'subject',
    ],
    'no object': (pick) => [
      json(pick(['null', 'true', '7', '"text"', '[]', `[${event()}]`, '[null]', '[[]]', '-0'])),
      'noObject',
    ],
    'a batch': (pick) => [
      json(pick([`[${event()}]`, event()]), 'application/cloudevents-batch+json'),
      'neither',
    ],
    'another method': (pick) => [
      { method: pick(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) },
      'neither',
    ],
    'a GET with an event of others': () => [
      { ...binary({ 'ce-type': 'x' }), method: 'GET' },
      'type',
    ],
    'plain, and called compressed': (pick) => {
      const { headers, body = '' } = json(structured({ type: 'x' }));
      const encoding = pick(['gzip', 'br', 'deflate', 'zstd', 'x', 'gzip, gzip', 'identity']);
      return [{ headers: { ...headers, 'content-encoding': encoding }, body }, 'type'];
    },
    compressed: () => {
      const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
      return [{ headers, body: gzipSync(event()) }, 'notJson'];
    },
    'no content type': () => [{ body: event() }, 'neither'],
    'another content type': (pick) => {
      const types = ['text/plain', 'multipart/form-data', 'application/x-www-form-urlencoded'];
      const more = ['application/json-patch+json', 'json', ';', '/', 'application/protobuf'];
      return [json(event(), pick([...types, ...more])), 'neither'];
    },
    'a charset that nobody knows': (pick) => {
      const charset = pick(['klingon', '"', 'utf-16', '', 'utf-8; charset=utf-7', '\u00e9']);
      return [json(structured({ type: 'x' }), `application/json; charset=${charset}`), 'type'];
    },
    'another encoding': (pick) => {
      const body = pick([Buffer.from(event(), 'utf16le'), Buffer.from(`\ufeff${event()}`)]);
      return [{ headers: { 'content-type': 'application/json; charset=utf-16' }, body }, 'notJson'];
    },
    'a header twice': (pick) => {
      const name = pick(['type', 'subject', 'specversion'] as const);
      const value = String(good().headers[`ce-${name}`]);
      const reason = name === 'specversion' ? 'version' : name;
      return [binary({ [`ce-${name}`]: [value, value] }), reason];
    },
    'attributes that are inherited': () => [
      json(`{"__proto__": ${event()}, "constructor": ${event()}}`),
      'version',
    ],
    'headers of nothing': (pick) => [
      { headers: { [pick(['ce-', 'ce-__proto__', 'ce-constructor', 'ce-x'])]: '1.0' } },
      'version',
    ],
    'letters beyond ASCII': (pick) => [
      binary({ 'ce-subject': subjectOf(pick(['é', '\u00ff\u00fe', 'ü'.repeat(500)])) }),
      'runId',
    ],
    'a message of others': () => [
      json({ message: { data: 'e30=', attributes: structuredObject(runId) }, subscription: 'x' }),
      'version',
    ],
    'nothing at all': (pick) => [
      { headers: pick([{}, { 'content-type': 'application/octet-stream' }]) },
      'neither',
    ],
  };
}

/** The same ones each time; of every kind as many. */
export function malformedEvents(count: number, runId: string): readonly Malformed[] {
  const kinds = Object.entries(kindsFor(runId));
  return Array.from({ length: count }, (_, index) => {
    const [kind, draw] = kinds[index % kinds.length] as (typeof kinds)[number];
    const make = () => {
      const random = seeded(index + 1);
      const below = (limit: number) => Math.floor(random() * limit);
      const pick: Random = (choices) => choices[below(choices.length)] as (typeof choices)[number];
      const [sent, reason] = draw(pick, below);
      return { sent, reason };
    };
    return { kind, make };
  });
}
