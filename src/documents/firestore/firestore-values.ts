import type { FieldPath } from '../document-store.js';

/** A value as Firestore's API spells it (google.firestore.v1.Value), as far as we read and write it. */
export interface ProtoValue {
  readonly nullValue?: unknown;
  readonly booleanValue?: boolean | null;
  readonly integerValue?: string | number | { toString(): string } | null;
  readonly doubleValue?: number | null;
  readonly stringValue?: string | null;
  readonly timestampValue?: ProtoTimestamp | null;
  readonly mapValue?: { readonly fields?: ProtoFields | null } | null;
  readonly arrayValue?: { readonly values?: readonly ProtoValue[] | null } | null;
}

export type ProtoFields = Readonly<Record<string, ProtoValue>>;

export interface ProtoTimestamp {
  readonly seconds?: string | number | { toString(): string } | null;
  readonly nanos?: number | null;
}

/**
 * Stands for a value of a type that JSON does not have (bytes, reference, GeoPoint, vector). It can
 * be carried and looked at, never written: only fields that we own are.
 */
class ForeignValue {
  readonly proto: ProtoValue;

  constructor(proto: ProtoValue) {
    this.proto = proto;
  }
}

export function encodeFields(data: Readonly<Record<string, unknown>>): ProtoFields {
  const entries = Object.entries(data).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, encodeValue(value)]));
}

function encodeValue(value: unknown): ProtoValue {
  if (value === null) return { nullValue: 'NULL_VALUE' };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(encodeValue) } };
  switch (typeof value) {
    case 'string':
      return { stringValue: value };
    case 'boolean':
      return { booleanValue: value };
    case 'number':
      return Number.isSafeInteger(value) ? { integerValue: value } : { doubleValue: value };
    case 'object':
      if (value instanceof ForeignValue) return value.proto;
      return { mapValue: { fields: encodeFields(value as Record<string, unknown>) } };
    default:
      throw new TypeError(`a ${typeof value} is no Firestore value`);
  }
}

/** A timestamp becomes its RFC 3339 text: the Python worker writes times in either form. */
export function decodeFields(fields: ProtoFields | null | undefined): Record<string, unknown> {
  const decoded: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields ?? {})) {
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

function decodeValue(value: ProtoValue): unknown {
  if (isSet(value.stringValue)) return value.stringValue;
  if (isSet(value.booleanValue)) return value.booleanValue;
  if (isSet(value.integerValue)) return Number(value.integerValue.toString());
  if (isSet(value.doubleValue)) return value.doubleValue;
  if (isSet(value.timestampValue)) return timestampText(value.timestampValue);
  if (isSet(value.mapValue)) return decodeFields(value.mapValue.fields);
  if (isSet(value.arrayValue)) return (value.arrayValue.values ?? []).map(decodeValue);
  return isSet(value.nullValue) ? null : new ForeignValue(value);
}

/** Epoch milliseconds, with the fraction that Firestore knows. */
export function timestampMs({ seconds, nanos }: ProtoTimestamp): number {
  return Number(seconds?.toString() ?? 0) * 1_000 + (nanos ?? 0) / 1_000_000;
}

function timestampText(timestamp: ProtoTimestamp): string {
  const date = new Date(Math.floor(timestampMs(timestamp)));
  return Number.isNaN(date.getTime()) ? 'not a time' : date.toISOString();
}

/** As a field mask spells it: every segment quoted, so that dots and colons stay in their name. */
export function maskPath(path: FieldPath): string {
  return path
    .map((segment) => `\`${segment.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``)
    .join('.');
}

function isSet<T>(value: T | null | undefined): value is T {
  return value !== undefined && value !== null;
}
