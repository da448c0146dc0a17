/**
 * Kills the process, or fills its disk, at one chosen call that changes files.
 *
 * Preload it: `node --import <this file> program.js`. It wraps the functions of `node:fs/promises`
 * that change the disk, and those of `node:fs` that do so at once (named imports see the wrapped ones
 * too), and counts their calls.
 *
 * - `CRASH_AT=<n>`: at the n-th counted call (from 1). Absent: nothing happens, calls are counted.
 * - `CRASH_WHEN=before|after|midway`: SIGKILL before that call (default), after it, or half through
 *   it. `midway` counts `writeFile` alone, half of whose bytes are then on the disk.
 * - `FAIL_WITH=ENOSPC` (or another code): no kill; instead that call is refused with this error.
 *   Counts only the calls that need room: `writeFile` (half of the bytes stay on the disk), `mkdir`
 *   of a folder that is not there yet, `rename`, `symlink`, `link`, `copyFile`.
 * - `FAIL_SPAN=once|onwards`: that call alone (default), or it and every later one.
 * - `CRASH_UNDER=<folder>`: only calls for a path inside that folder count.
 * - `COUNT_FILE=<path>`: when the process exits by itself, the number of counted calls is written there.
 */
import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { resolve, sep } from 'node:path';

const {
  CRASH_AT,
  CRASH_WHEN = 'before',
  FAIL_WITH,
  FAIL_SPAN = 'once',
  CRASH_UNDER,
  COUNT_FILE,
} = process.env;

const NEED_ROOM = ['writeFile', 'mkdir', 'rename', 'symlink', 'link', 'copyFile'];
const CHANGE_THE_DISK = [...NEED_ROOM, 'truncate', 'unlink', 'rm', 'rmdir'];
/** Which argument names the file that is changed. */
const TARGET = { symlink: 1, link: 1, rename: 1, copyFile: 1 };

const wrapped = FAIL_WITH ? NEED_ROOM : CRASH_WHEN === 'midway' ? ['writeFile'] : CHANGE_THE_DISK;
const { writeFile } = promises;
const { writeFileSync } = fs;
let count = 0;

/** What becomes of a call that changes the disk. */
function fate(name, args) {
  const path = String(args[TARGET[name] ?? 0]);
  if (CRASH_UNDER && !resolve(path).startsWith(CRASH_UNDER + sep)) return 'done';
  // A full disk still says EEXIST there: the kernel looks the name up before it wants room.
  if (FAIL_WITH && name === 'mkdir' && fs.existsSync(path)) return 'done';
  // Nothing is written to a file that has to be there and is not.
  if (args[2]?.flag === 'r+' && !fs.existsSync(path)) return 'done';
  count++;
  const at = Number(CRASH_AT);
  if (FAIL_WITH) {
    const isRefused = FAIL_SPAN === 'onwards' ? count >= at : count === at;
    return isRefused ? refusal(name, path) : 'done';
  }
  return count === at ? 'killed' : 'done';
}

for (const name of wrapped) {
  const original = promises[name];
  promises[name] = async (...args) => {
    const what = fate(name, args);
    if (what === 'done') return original(...args);
    const isHalf = name === 'writeFile' && (FAIL_WITH || CRASH_WHEN === 'midway');
    if (isHalf) await writeFile(...half(args));
    if (what !== 'killed') throw what;
    if (CRASH_WHEN === 'after') await original(...args);
    process.kill(process.pid, 'SIGKILL');
    return new Promise(() => undefined);
  };
  const atOnce = fs[`${name}Sync`];
  fs[`${name}Sync`] = (...args) => {
    const what = fate(name, args);
    if (what === 'done') return atOnce(...args);
    const isHalf = name === 'writeFile' && (FAIL_WITH || CRASH_WHEN === 'midway');
    if (isHalf) writeFileSync(...half(args));
    if (what !== 'killed') throw what;
    if (CRASH_WHEN === 'after') atOnce(...args);
    process.kill(process.pid, 'SIGKILL');
    return undefined;
  };
}
syncBuiltinESMExports();

if (COUNT_FILE) process.on('exit', () => writeFileSync(COUNT_FILE, String(count)));

function half([path, content, options]) {
  const bytes = Buffer.from(content);
  return [path, bytes.subarray(0, Math.floor(bytes.length / 2)), options];
}

function refusal(name, path) {
  const syscall = name === 'writeFile' ? 'write' : name.toLowerCase();
  const error = new Error(`${FAIL_WITH}: injected, ${syscall} '${path}'`);
  return Object.assign(error, { code: FAIL_WITH, syscall, path });
}
