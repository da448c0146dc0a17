/**
 * Makes a program slow where a test wants it slow: holds chosen calls of `readFile` of
 * `node:fs/promises` until the test lets them go.
 *
 * Preload it: `node --import <this file> program.js`.
 *
 * - `HOLD_READ=<end>[,<end>…]`: reads of a path that ends like one of these are held, and each says
 *   so on stderr: `{"event":"held","path":…}`.
 * - `HOLD_UNTIL=<file>`: they go on once this file is there. Absent: they are held for ever.
 *
 * A held read does not listen to its `signal`, like a disk that has stopped answering.
 */
import { existsSync, watch } from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { dirname } from 'node:path';

const { HOLD_READ = '', HOLD_UNTIL } = process.env;
const ends = HOLD_READ.split(',').filter((end) => end !== '');
const { readFile } = promises;

// Without a timer that never matters Node would see a program with nothing left to wait for.
const keepAlive = () => setInterval(() => undefined, 2 ** 30);

promises.readFile = async (path, options) => {
  if (!ends.some((end) => String(path).endsWith(end))) return readFile(path, options);
  const alive = keepAlive();
  process.stderr.write(`${JSON.stringify({ event: 'held', path: String(path) })}\n`);
  await letGo();
  clearInterval(alive);
  return readFile(path, options);
};
syncBuiltinESMExports();

function letGo() {
  if (HOLD_UNTIL === undefined) return new Promise(() => undefined);
  return new Promise((resolve) => {
    // Watched first, looked at second: a file made in between would be missed the other way round.
    const watcher = watch(dirname(HOLD_UNTIL), look);
    look();
    function look() {
      if (!existsSync(HOLD_UNTIL)) return;
      watcher.close();
      resolve(undefined);
    }
  });
}
