import { createReadStream, readFileSync, statSync } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { reasonOf } from '../failures.js';

/** More than any document has; a wrong path must not fill the memory. */
const MAX_BYTES = 32 * 1024 * 1024;

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
    const bytes = isPlainFile(path) ? readFileSync(path) : await readStream(path, from, signal);
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

/** One that surely ends, and soon: it is read at once. A pseudo-file of the system tells no size. */
function isPlainFile(path: string): boolean {
  if (path === '-') return false;
  const found = statSync(path);
  return found.isFile() && found.size > 0 && found.size <= MAX_BYTES;
}

function readStream(
  path: string,
  from: { readonly stdin: Readable },
  signal: AbortSignal,
): Promise<Buffer> {
  const stream = path === '-' ? from.stdin : createReadStream(path);
  return readBounded(addAbortSignal(signal, stream));
}

/** Stops soon after the bound: `/dev/zero` has no end. */
async function readBounded(stream: Readable): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_BYTES) break;
  }
  return Buffer.concat(chunks);
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
