/**
 * A bug in the middle of a run, for tests: preload it (`node --import <this file> program.js`).
 *
 * - `THROW_AT=<text>`: at each `renameSync` to a path that holds it.
 * - `THROW_TEXT=<text>`: what the error says.
 * - `THROW_HOW=rejects|throws`: that call throws, or something that nobody waits for throws.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { THROW_AT, THROW_TEXT, THROW_HOW } = process.env;
const { renameSync } = fs;

fs.renameSync = (from, to) => {
  if (!String(to).includes(THROW_AT)) return renameSync(from, to);
  const error = new TypeError(THROW_TEXT);
  if (THROW_HOW === 'rejects') throw error;
  setImmediate(() => {
    throw error;
  });
  return renameSync(from, to);
};
syncBuiltinESMExports();
