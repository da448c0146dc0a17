import { constants, createReadStream, openSync, readFileSync, statSync } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';

/** More than any document has; a wrong path must not fill the memory. */
export const MAX_BYTES = 32 * 1024 * 1024;

/**
 * What a file holds that somebody named, up to a bound: more than `MAX_BYTES` says that there is more.
 * Rejects with what stopped it, and when `signal` aborts: a pipe may never end.
 */
export async function readInput(path: string, signal?: AbortSignal): Promise<Buffer> {
  signal?.throwIfAborted();
  return isPlainFile(path) ? readFileSync(path) : readBounded(await opened(path), signal);
}

/** One that surely ends, and soon. A pseudo-file of the system tells no size. */
function isPlainFile(path: string): boolean {
  const found = statSync(path);
  return found.isFile() && found.size > 0 && found.size <= MAX_BYTES;
}

/** Stops soon after the bound: `/dev/zero` has no end. */
export async function readBounded(stream: Readable, signal?: AbortSignal): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of signal ? addAbortSignal(signal, stream) : stream) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_BYTES) break;
  }
  return Buffer.concat(chunks);
}

/**
 * A pipe that nobody writes to keeps the thread that opens it, and the program waits for its threads
 * when it ends, whatever signal told it to.
 */
async function opened(path: string): Promise<Readable> {
  if (!statSync(path).isFIFO()) return createReadStream(path);
  const { Socket } = await import('node:net');
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return new Socket({ fd, readable: true, writable: false });
}
