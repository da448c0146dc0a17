import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { table } from '../../../src/cli/table.js';
import { pack } from '../../support/packed.js';
import { audit } from './audit.js';
import { changelog } from './changelog.js';
import type { Check, Finding, Place } from './check.js';
import { startFirestore } from './cloud.js';
import { installScript } from './install-script.js';
import { installed } from './installed.js';
import { licences } from './licences.js';
import { messageOf } from './process.js';
import { publint } from './publint.js';
import { publishing } from './publishing.js';
import { size } from './size.js';
import { suite } from './suite.js';
import { types } from './types.js';
import { unused } from './unused.js';

const CHECKS: readonly Check[] = [
  size,
  installScript,
  ...[20, 22, 24, 26].map(installed),
  publint,
  types,
  unused,
  licences,
  audit('production', ['--omit=dev']),
  audit('development'),
  changelog,
  publishing,
  suite('workflow', 'test/package/publish-workflow.test.ts'),
  suite('readme', 'test/readme.test.ts'),
];

/**
 * `npm run check:package -- [--offline] [--only NAME]…`: each check in a line, then a table of all;
 * exit 1 where one failed, 2 for wrong flags.
 */
const { values } = parseArgs({
  options: {
    offline: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
  },
});
const only = values.only ?? CHECKS.map(({ name }) => name);
const unknown = only.filter((name) => !CHECKS.some((check) => check.name === name));
if (unknown.length > 0) {
  process.stderr.write(`no such check: ${unknown.join(', ')}\n`);
  process.exit(2);
}

const folder = await realpath(await mkdtemp(join(tmpdir(), 'check-package-')));
const { host: firestore, stop } = await startFirestore();
try {
  const packed = await pack(folder);
  process.exitCode = await checkAll({ packed, folder, firestore, isOffline: values.offline });
} finally {
  await stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

async function checkAll(place: Place): Promise<number> {
  const rows: string[][] = [];
  for (const check of CHECKS.filter(({ name }) => only.includes(name))) {
    const since = performance.now();
    const finding = await found(check, place);
    const seconds = ((performance.now() - since) / 1_000).toFixed(1);
    const [told, ...more] =
      finding.status === 'FAILED'
        ? finding.problems
        : [finding.detail, finding.listing ?? []].flat();
    process.stdout.write(`${finding.status} ${check.name}: ${told}\n`);
    for (const line of more) process.stdout.write(`${line.replaceAll(/^/gm, '  ')}\n`);
    rows.push([check.name, finding.status, seconds]);
  }
  const heads = [
    { head: 'CHECK' },
    { head: 'RESULT' },
    { head: 'SECONDS', align: 'right' },
  ] as const;
  const cells = rows.map((row) => row.map((text) => ({ text })));
  const lines = table(heads, cells, Number.POSITIVE_INFINITY);
  process.stdout.write(`\n${lines.join('\n')}\n`);
  return rows.some(([, status]) => status === 'FAILED') ? 1 : 0;
}

async function found(check: Check, place: Place): Promise<Finding> {
  try {
    return await check.find(place);
  } catch (error) {
    return { status: 'FAILED', problems: [messageOf(error)] };
  }
}
