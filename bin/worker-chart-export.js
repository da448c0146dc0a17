#!/usr/bin/env node
'use strict';
const { main } = require('../dist/cli/main.cjs');

// Node and the libraries warn on stderr (no metadata server found, a deprecated module): lines
// that are none of the log's, and that nobody who runs this can do anything about.
process.removeAllListeners('warning');

// A reader that has seen enough (`… | head -1`) is no error of ours, a full disk under stdout is.
let summaryLost;
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') summaryLost = error;
});
// There is nobody left to tell.
process.stderr.on('error', () => undefined);

// Of a program that comes to an end without having said how.
process.exitCode = 4;
main({
  argv: process.argv.slice(2),
  env: process.env,
  cwd: process.cwd(),
  nodeVersion: process.versions.node,
  // Opened when it is asked for, which it hardly ever is.
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  signals: process,
  endNow: (code) => process.exit(code),
  onCrash: (listener) => process.on('uncaughtException', listener),
}).then(end);

// Pipes are written asynchronously: the process ends when both have taken everything, and does
// not wait for a call or a file that nobody waits for any more.
async function end(exitCode) {
  await flushed(process.stdout);
  if (summaryLost) {
    process.stderr.write(
      `error: the summary could not be written to stdout: ${summaryLost.code}\n`,
    );
  }
  await flushed(process.stderr);
  process.exit(summaryLost && exitCode === 0 ? 4 : exitCode);
}

function flushed(stream) {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) resolve();
    else stream.write('', resolve);
  });
}
