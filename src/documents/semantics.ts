import { isJsonObject, type JsonObject } from '../contracts/documents.js';
import type { FieldPath, PageRequest, Write } from './document-store.js';

/** A document after a write; the one given stays as it is. `undefined`: there is none. */
export function written(data: JsonObject | undefined, write: Write): JsonObject | undefined {
  switch (write.kind) {
    case 'put':
      return write.data;
    case 'patch':
      return patched(data ?? {}, write);
    case 'delete':
      return undefined;
  }
}

function patched(data: JsonObject, write: Extract<Write, { kind: 'patch' }>): JsonObject {
  const copy = structuredClone(data);
  for (const [field, value] of write.fields) setField(copy, field, value);
  return copy;
}

/** As Firestore's field mask: parents are made where they are missing, siblings stay. */
function setField(data: JsonObject, field: FieldPath, value: unknown): void {
  const [head, ...rest] = field;
  const [next] = rest;
  if (next === undefined) {
    if (value === undefined) delete data[head];
    else data[head] = value;
    return;
  }
  const child = Object.hasOwn(data, head) ? data[head] : undefined;
  if (isJsonObject(child)) {
    setField(child, [next, ...rest.slice(1)], value);
  } else if (value !== undefined) {
    const made: JsonObject = {};
    data[head] = made;
    setField(made, [next, ...rest.slice(1)], value);
  }
}

/** Whether a document is one of those that are asked for, its id apart. */
export function isAskedFor({ where, equal = {} }: PageRequest, data: JsonObject): boolean {
  return (
    (!where || where.among.includes(data[where.field] as string)) &&
    Object.entries(equal).every(([field, value]) => data[field] === value)
  );
}
