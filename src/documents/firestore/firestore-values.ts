import type { FieldPath } from '../document-store.js';

/** A value as Firestore's API spells it in JSON, as far as we read and write it. */
export interface FirestoreValue {
  readonly nullValue?: null;
  readonly booleanValue?: boolean;
  /** 64 bits, as text. */
  readonly integerValue?: string;
  /** `NaN`, `Infinity` and `-Infinity` are text. */
  readonly doubleValue?: number | string;
  readonly stringValue?: string;
  readonly timestampValue?: Timestamp;
  readonly mapValue?: { readonly fields?: FirestoreFields };
  readonly arrayValue?: { readonly values?: readonly FirestoreValue[] };
}

export type FirestoreFields = Readonly<Record<string, FirestoreValue>>;

/** RFC 3339 in UTC, with up to nine digits of a second. */
export type Timestamp = string;

/**
 * Stands for a value of a type that JSON does not have (bytes, reference, GeoPoint, vector). It can
 * be carried and looked at, never written: only fields that we own are.
 */
class ForeignValue {
  readonly spelt: FirestoreValue;

  constructor(spelt: FirestoreValue) {
    this.spelt = spelt;
  }
}

export function encodeFields(data: Readonly<Record<string, unknown>>): FirestoreFields {
  const entries = Object.entries(data).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, encodeValue(value)]));
}

function encodeValue(value: unknown): FirestoreValue {
  if (value === null) return { nullValue: null };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(encodeValue) } };
  switch (typeof value) {
    case 'string':
      return { stringValue: value };
    case 'boolean':
      return { booleanValue: value };
    case 'number':
      if (Number.isSafeInteger(value)) return { integerValue: String(value) };
      return { doubleValue: Number.isFinite(value) ? value : String(value) };
    case 'object':
      if (value instanceof ForeignValue) return value.spelt;
      return { mapValue: { fields: encodeFields(value as Record<string, unknown>) } };
    default:
      throw new TypeError(`a ${typeof value} is no Firestore value`);
  }
}

/** A timestamp becomes its RFC 3339 text: the Python worker writes times in either form. */
export function decodeFields(fields: FirestoreFields = {}): Record<string, unknown> {
  const decoded: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    // Assigned, a field `__proto__` would become the object's prototype.
    Object.defineProperty(decoded, name, {
      value: decodeValue(value),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return decoded;
}

function decodeValue(value: FirestoreValue): unknown {
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.booleanValue !== undefined) return value.booleanValue;
  if (value.integerValue !== undefined) return Number(value.integerValue);
  if (value.doubleValue !== undefined) return Number(value.doubleValue);
  if (value.timestampValue !== undefined) return timestampText(value.timestampValue);
  if (value.mapValue !== undefined) return decodeFields(value.mapValue.fields);
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(decodeValue);
  return value.nullValue === null ? null : new ForeignValue(value);
}

/** Epoch milliseconds, with the fraction that Firestore knows; `NaN`: that is no time. */
export function timestampMs(timestamp: Timestamp): number {
  const [, second = '', fraction = ''] = /^([^.]*?)(\.\d+)?Z$/.exec(timestamp) ?? [];
  return Date.parse(`${second}Z`) + Number(`0${fraction}`) * 1_000;
}

function timestampText(timestamp: Timestamp): string {
  const date = new Date(Math.floor(timestampMs(timestamp)));
  return Number.isNaN(date.getTime()) ? 'not a time' : date.toISOString();
}

/** As a field mask spells it: every segment quoted, so that dots and colons stay in their name. */
export function maskPath(path: FieldPath): string {
  return path
    .map((segment) => `\`${segment.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``)
    .join('.');
}
