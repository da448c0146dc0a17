import type { Readable } from 'node:stream';
import { reasonOf } from '../failures.js';
import { MAX_BYTES, readBounded, readInput } from '../local-disk/input-file.js';

/** `what` follows the file's name in a sentence and shows nothing of its text: that may hold keys. */
export type JsonFile =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly why: 'unreadable' | 'malformed'; readonly what: string };

/**
 * Reads JSON from a file, or from stdin for `-`. Rejects only when `signal` aborts: a pipe may
 * never end.
 */
export async function readJsonFile(
  path: string,
  from: { readonly stdin: Readable },
  signal: AbortSignal,
): Promise<JsonFile> {
  let text: string;
  try {
    const reading = path === '-' ? readBounded(from.stdin, signal) : readInput(path, signal);
    const bytes = await reading;
    if (bytes.length > MAX_BYTES) return unreadable('is larger than 32 MiB');
    text = bytes.toString('utf8');
  } catch (error) {
    signal.throwIfAborted();
    return unreadable(`cannot be read: ${reasonOf(error)}`);
  }
  return parseJson(text);
}

/** Of a text that was read already. */
export function parseJson(given: string): JsonFile {
  const text = given.replace(/^\uFEFF/, '');
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    return { ok: false, why: 'malformed', what: `is not JSON${placeOf(error, text)}` };
  }
}

function unreadable(what: string): JsonFile {
  return { ok: false, why: 'unreadable', what };
}

/** V8 names the offset; people want the line. */
function placeOf(error: unknown, text: string): string {
  if (text.trim() === '') return ': it is empty';
  const words = error instanceof Error ? error.message : '';
  const offset = /position (\d+)/.exec(words)?.[1];
  // Of an unexpected token V8 tells no offset.
  if (offset === undefined) return /end of JSON/.test(words) ? ': it ends too early' : '';
  const before = text.slice(0, Number(offset)).split('\n');
  return ` (line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1})`;
}
