import { randomBytes, randomUUID } from 'node:crypto';
import type { OutgoingHttpHeaders } from 'node:http';
import type { EventMessage } from '../../src/cloud-event/flow-run-event.js';

export const UPDATED = 'google.cloud.firestore.document.v1.updated';
export const WRITTEN = 'google.cloud.firestore.document.v1.written';

/** What is sent to the function; a POST of nothing unless said otherwise. */
export interface Sent {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: Uint8Array | string;
}

export interface EventOptions {
  readonly id?: string;
  readonly type?: string;
}

export function subjectOf(runId: string): string {
  return `documents/flow_runs/${runId}`;
}

/** What Eventarc says of one write to a flow run, the data apart. */
function attributes(runId: string, { id = randomUUID(), type = UPDATED }: EventOptions) {
  return {
    specversion: '1.0',
    id,
    source: '//firestore.googleapis.com/projects/demo-project/databases/(default)',
    type,
    subject: subjectOf(runId),
    time: '2025-12-21T12:00:05.123456Z',
    dataschema:
      'https://github.com/googleapis/google-cloudevents/blob/main/proto/google/events/cloud/firestore/v1/data.proto',
    project: 'demo-project',
    database: '(default)',
    namespace: '(default)',
    location: 'eur3',
    document: `flow_runs/${runId}`,
  };
}

/** The form in which Eventarc delivers; the body passes for protobuf with whoever does not decode it. */
export function binaryEvent(runId: string, options: EventOptions = {}): Required<Sent> {
  const named = Object.entries(attributes(runId, options)).map(
    ([name, value]) => [`ce-${name}`, value] as const,
  );
  return {
    method: 'POST',
    headers: {
      ...Object.fromEntries(named),
      'content-type': 'application/protobuf',
      'user-agent': 'APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)',
      'x-cloud-trace-context': '0123456789abcdef0123456789abcdef/1;o=1',
    },
    body: randomBytes(700),
  };
}

/** As one JSON object. */
export function structuredObject(runId: string, options: EventOptions = {}) {
  return {
    ...attributes(runId, options),
    datacontenttype: 'application/protobuf',
    data_base64: randomBytes(700).toString('base64'),
  };
}

export function structuredEvent(runId: string, options: EventOptions = {}): Required<Sent> {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' },
    body: JSON.stringify(structuredObject(runId, options)),
  };
}

/** As the adapter gets it. */
export function messageOf({ headers = {}, body = '' }: Sent): EventMessage {
  const named = Object.entries(headers).map(([name, value]) => [
    name.toLowerCase(),
    Array.isArray(value) ? value.join(', ') : String(value),
  ]);
  return { headers: Object.fromEntries(named), body: Buffer.from(body) };
}
