import { isJsonObject } from '../../contracts/documents.js';
import { childPath } from '../../contracts/json-path.js';

/** One value that differs; `undefined` on one side: it is not there. */
export interface Change {
  /** `request.studies[0].name`; '' is the document itself. */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** Deeper than Firestore stores anything. */
const MAX_DEPTH = 25;

/**
 * Pure, and total. What makes one JSON value another, at the finest level: objects by key (whose
 * order says nothing), lists by place.
 */
export function diffJson(before: unknown, after: unknown): Change[] {
  const changes: Change[] = [];
  walk(before, after, '', 0, changes);
  return changes;
}

function walk(
  before: unknown,
  after: unknown,
  path: string,
  depth: number,
  changes: Change[],
): void {
  if (Object.is(before, after) || (before === 0 && after === 0)) return;
  if (depth < MAX_DEPTH && isPlain(before) && isPlain(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      walk(own(before, key), own(after, key), childPath(path, key), depth + 1, changes);
    }
    return;
  }
  if (depth < MAX_DEPTH && Array.isArray(before) && Array.isArray(after)) {
    for (let index = 0; index < Math.max(before.length, after.length); index++) {
      walk(before[index], after[index], childPath(path, index), depth + 1, changes);
    }
    return;
  }
  changes.push({ path, before, after });
}

/** Not a value of a class of its own, such as one that JSON does not have. */
function isPlain(value: unknown): value is Record<string, unknown> {
  return isJsonObject(value) && [Object.prototype, null].includes(Object.getPrototypeOf(value));
}

function own(object: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** `request.height: 600 → 500`, `request.theme: added "dark"`, `note: removed "x"`. */
export function changeLine({ path, before, after }: Change): string {
  const where = path === '' ? '(document)' : path;
  if (before === undefined) return `${where}: added ${shown(after)}`;
  if (after === undefined) return `${where}: removed ${shown(before)}`;
  return `${where}: ${shown(before)} → ${shown(after)}`;
}

/** Characters of a value that a line shows. */
const SHOWN_MAX = 80;

function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && !isPlain(value)) {
    return '(no JSON value)';
  }
  let text: string;
  try {
    text = JSON.stringify(value) ?? 'nothing';
  } catch {
    // Nested deeper than the stack.
    text = '…';
  }
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX - 1)}…` : text;
}
