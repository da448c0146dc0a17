import { statfsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Group } from './bench.js';
import { local } from './groups/local.js';
import { paced } from './groups/paced.js';
import { roundTrips } from './groups/round-trips.js';
import { start } from './groups/start.js';
import { step } from './groups/step.js';
import { isMissed, type Row } from './row.js';
import { toTable, verdictOf } from './table.js';

const GROUPS: Readonly<Record<string, Group>> = {
  'round-trips': roundTrips,
  start,
  step,
  paced,
  local,
};
const LEAST_ROUNDS = 7;
const MEMORY = '/dev/shm';

/**
 * `npm run bench -- [--only GROUP]… [--rounds N] [--json FILE]`: a table on stdout, how far it is on
 * stderr; exit 1 where a limit is missed, 2 for wrong flags.
 */
const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    rounds: { type: 'string', default: String(LEAST_ROUNDS) },
    json: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const only = values.only ?? Object.keys(GROUPS);
const unknown = only.filter((name) => !Object.hasOwn(GROUPS, name));
if (!Number.isInteger(rounds) || rounds < 1 || unknown.length > 0) {
  process.stderr.write(`--only ${Object.keys(GROUPS).join('|')}, --rounds from 1\n`);
  process.exit(2);
}

const scratch = scratchFolder();
process.stderr.write(`workspaces in ${scratch}\n`);
const rows: Row[] = [];
for (const name of only) {
  const since = performance.now();
  rows.push(...(await measure(GROUPS[name] as Group)));
  process.stderr.write(`${name}: ${Math.round((performance.now() - since) / 1_000)} s\n`);
}
process.stdout.write(toTable(rows));
if (values.json !== undefined) {
  const machine = { node: process.version, cpus: cpus().length, scratch, rounds };
  const told = rows.map((row) => ({ ...row, verdict: verdictOf(row) }));
  await writeFile(values.json, `${JSON.stringify({ ...machine, rows: told }, null, 2)}\n`);
}
process.exitCode = rows.some(isMissed) ? 1 : 0;

async function measure(group: Group): Promise<Row[]> {
  const root = await mkdtemp(join(scratch, 'bench-'));
  const undo: (() => Promise<void>)[] = [() => rm(root, { recursive: true, force: true })];
  try {
    return await group({ rounds, root, atEnd: (end) => undo.unshift(end) });
  } finally {
    for (const end of undo) await end();
  }
}

/**
 * In memory where there is room, unless TMPDIR names another place: to make a file takes a disk 30 to
 * 900 µs, by what was removed from it in the minutes before, and a mock run makes 26 files and folders.
 */
function scratchFolder(): string {
  if (process.env.TMPDIR) return process.env.TMPDIR;
  try {
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize > 2 ** 30 ? MEMORY : tmpdir();
  } catch {
    return tmpdir();
  }
}
