import { isRunId } from '../contracts/ids.js';

/** An HTTP request, as far as a CloudEvent stands in it. */
export interface EventMessage {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
}

/** What the event says of itself, unchecked and cut: for the log. */
export interface EventFacts {
  readonly eventId: string | null;
  readonly eventType: string | null;
  readonly subject: string | null;
}

/** A flow run was written. What was written is not looked at: the live document decides. */
export interface FlowRunEvent {
  readonly eventId: string;
  readonly runId: string;
}

export interface ReadEvent {
  readonly facts: EventFacts;
  /** `{ ignored }`: why it is none of ours, in a few words. */
  readonly event: FlowRunEvent | { readonly ignored: string };
}

const TYPES = new Set([
  'google.cloud.firestore.document.v1.updated',
  'google.cloud.firestore.document.v1.written',
]);
const SUBJECT = /^documents\/flow_runs\/([^/]+)$/;
/** Firestore's are UUIDs; this one becomes a field of the lease. */
const LONGEST_ID = 200;
const LONGEST_FACT = 300;

/**
 * Reads a CloudEvent in either HTTP mode (CloudEvents 1.0, HTTP binding §3): binary, where its
 * attributes are `ce-` headers, or structured, where the body is one JSON object. Its data, a protobuf
 * message in production, is never decoded.
 */
export function readEvent(message: EventMessage): ReadEvent {
  const attributes = isBinary(message) ? binaryAttributes(message) : structured(message);
  if (typeof attributes === 'string') {
    return { facts: NO_FACTS, event: { ignored: attributes } };
  }
  const fact = (name: string) => {
    const value = attributes[name];
    return typeof value === 'string' ? value.slice(0, LONGEST_FACT) : null;
  };
  const facts = { eventId: fact('id'), eventType: fact('type'), subject: fact('subject') };
  return { facts, event: judged(attributes) };
}

const NO_FACTS: EventFacts = { eventId: null, eventType: null, subject: null };

type Attributes = Readonly<Record<string, unknown>>;

function judged({ id, type, subject, specversion }: Attributes): ReadEvent['event'] {
  if (specversion !== '1.0') return { ignored: 'it is no CloudEvent of version 1.0' };
  if (typeof id !== 'string' || id === '' || id.length > LONGEST_ID) {
    return { ignored: 'its id is missing or too long' };
  }
  if (typeof type !== 'string' || !TYPES.has(type)) {
    return { ignored: 'its type is not an update of a Firestore document' };
  }
  const runId = typeof subject === 'string' ? SUBJECT.exec(subject)?.[1] : undefined;
  if (runId === undefined) return { ignored: 'its subject is no document of flow_runs' };
  if (!isRunId(runId)) return { ignored: 'its subject names no run id' };
  return { eventId: id, runId };
}

function isBinary({ headers }: EventMessage): boolean {
  return Object.keys(headers).some((name) => name.startsWith('ce-'));
}

function binaryAttributes({ headers }: EventMessage): Attributes {
  const entries = Object.entries(headers).filter(([name]) => name.startsWith('ce-'));
  return Object.fromEntries(entries.map(([name, value]) => [name.slice(3), decoded(value)]));
}

/** Header values are percent-encoded where they are not plain ASCII. */
function decoded(value: EventMessage['headers'][string]): unknown {
  if (typeof value !== 'string') return undefined;
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

function structured({ headers, body }: EventMessage): Attributes | string {
  const contentType = String(headers['content-type'] ?? '');
  if (!/^application\/(cloudevents\+)?json\s*(;|$)/i.test(contentType)) {
    return 'it is no CloudEvent: no ce- headers, and no JSON';
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return 'its body is not JSON';
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Attributes) : 'its body is no JSON object';
}
