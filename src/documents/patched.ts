import { isJsonObject, type JsonObject } from '../contracts/documents.js';
import type { FieldPath, Write } from './document-store.js';

/** A document after a patch; the one given stays as it is. */
export function patched(data: JsonObject, write: Extract<Write, { kind: 'patch' }>): JsonObject {
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
