/**
 * The library in a process of its own, as a program uses it: told on stdin what to generate how
 * often, it says on stdout what came of it.
 */
import { createInterface } from 'node:readline';
import { openLibrary } from '../../src/library/index.js';
import type { LibraryCall, LibraryWorkerOptions } from './library-process.js';

const options = JSON.parse(process.argv[2] ?? '') as LibraryWorkerOptions;
const library = await openLibrary({ ...options, log: ({ event }) => say({ event }) });

say({ event: 'ready' });
for await (const line of createInterface(process.stdin)) {
  const { order, times, atOnce } = JSON.parse(line) as LibraryCall;
  let left = times;
  const lane = async () => {
    while (left > 0) {
      left -= 1;
      say({
        event: 'generated',
        results: await library.generate(order, new AbortController().signal),
      });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  say({ event: 'call_ended' });
}
await library.close();

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
