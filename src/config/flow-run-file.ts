import { createReadStream } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { isJsonObject, type JsonObject } from '../contracts/documents.js';
import { reasonOf } from '../failures.js';

/** More than any flow run has; a wrong path must not fill the memory. */
const MAX_BYTES = 32 * 1024 * 1024;

export type FlowRunFile =
  | { readonly ok: true; readonly document: JsonObject }
  | { readonly ok: false; readonly message: string };

/**
 * Reads a flow run from a file, or from stdin for `-`. What is wrong is one line that names the
 * place. Rejects only when `signal` aborts: a pipe may never end.
 */
export async function readFlowRunFile(
  path: string,
  stdin: Readable,
  signal: AbortSignal,
): Promise<FlowRunFile> {
  const name = path === '-' ? 'stdin' : path;
  let text: string;
  try {
    const stream = path === '-' ? stdin : createReadStream(path);
    const bytes = await readBounded(addAbortSignal(signal, stream));
    if (bytes.length > MAX_BYTES) return refuse('is larger than 32 MiB');
    text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    signal.throwIfAborted();
    return refuse(`cannot be read: ${reasonOf(error)}`);
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    return refuse(`is not JSON${placeOf(error, text)}`);
  }
  if (!isJsonObject(document)) {
    return refuse(`holds ${kindOf(document)}, not a JSON object`);
  }
  return { ok: true, document };

  function refuse(what: string): FlowRunFile {
    return { ok: false, message: `flow run ${name} ${what}` };
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
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
