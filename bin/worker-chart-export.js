#!/usr/bin/env node
import { main } from '../dist/cli/main.js';

// A reader that has seen enough (`… | head -1`) is no error of ours.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

const exitCode = await main({
  argv: process.argv.slice(2),
  env: process.env,
  cwd: process.cwd(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signals: process,
  endNow: (code) => process.exit(code),
});

// Pipes are written asynchronously: the process ends when both have taken everything, and does
// not wait for a call or a file that nobody waits for any more.
const flushed = (stream) =>
  new Promise((resolve) => {
    if (stream.destroyed) resolve();
    else stream.write('', resolve);
  });
await Promise.all([process.stdout, process.stderr].map(flushed));
process.exit(exitCode);
