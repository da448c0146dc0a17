#!/usr/bin/env node
import { main } from '../dist/cli/main.js';

// A reader that has seen enough (`… | head -1`) is no error of ours, a full disk under stdout is.
let summaryLost;
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') summaryLost = error;
});
// There is nobody left to tell.
process.stderr.on('error', () => undefined);

// Node and the libraries warn on stderr (no metadata server found, a deprecated module): lines
// that are none of the log's, and that nobody who runs this can do anything about.
process.removeAllListeners('warning');

let exitCode = await main({
  argv: process.argv.slice(2),
  env: process.env,
  cwd: process.cwd(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signals: process,
  endNow: (code) => process.exit(code),
  onCrash: (listener) => process.on('uncaughtException', listener),
});

// Pipes are written asynchronously: the process ends when both have taken everything, and does
// not wait for a call or a file that nobody waits for any more.
const flushed = (stream) =>
  new Promise((resolve) => {
    if (stream.destroyed) resolve();
    else stream.write('', resolve);
  });
await flushed(process.stdout);
if (summaryLost) {
  process.stderr.write(`error: the summary could not be written to stdout: ${summaryLost.code}\n`);
  if (exitCode === 0) exitCode = 4;
}
await flushed(process.stderr);
process.exit(exitCode);
