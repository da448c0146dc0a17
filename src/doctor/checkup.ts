import type { Inspected } from '../config/run-config.js';
import { chartImg } from './chart-img-check.js';
import { examine, type Finding, skipped } from './finding.js';
import {
  accountsCheck,
  configuration,
  fixtures,
  localTemplates,
  nodeVersion,
  workspaceFolder,
  workspaceLock,
} from './machine-checks.js';

/** For all checks together; they run at the same time. */
const WHOLE_MS = 18_000;

/** What people read, in this order. */
const ORDER = [
  ...['node', 'config', 'workspace', 'lock', 'credentials', 'project', 'database', 'bucket'],
  ...['write', 'chart-img', 'accounts', 'templates', 'fixtures', 'clock'],
];

/** Every check that applies, all within 18 s; writes nothing, unless `write` asks for the probe. */
export async function checkup(
  inspected: Inspected,
  { write, nodeVersion: version }: { readonly write: boolean; readonly nodeVersion: string },
): Promise<Finding[]> {
  const untilMs = performance.now() + WHOLE_MS;
  const { config } = inspected;
  const { cloud, live, workspace } = config;
  const place = cloud
    ? import('./cloud-checks.js').then(({ cloudChecks }) =>
        cloudChecks(inspected, cloud, { write, untilMs }),
      )
    : Promise.all([
        examine('workspace', untilMs, () => workspaceFolder(workspace)),
        examine('lock', untilMs, () => workspaceLock(workspace)),
        ['credentials', 'project', 'database', 'bucket', 'write'].map((name) =>
          skipped(name, 'the local backend needs none'),
        ),
      ]);
  const parts = await Promise.all([
    [nodeVersion(version)],
    configuration(inspected),
    place,
    cloud ? ['workspace', 'lock'].map((name) => skipped(name, 'the gcp backend needs none')) : [],
    live
      ? examine('chart-img', untilMs, () => chartImg(live))
      : [skipped('chart-img', 'this mode calls nobody')],
    examine('accounts', untilMs, () => accountsCheck(inspected)),
    examine('templates', untilMs, () => localTemplates(inspected)),
    examine('fixtures', untilMs, () => fixtures(inspected)),
  ]);
  return ordered(parts.flat(2));
}

/** With a word on the clock, also where no server told the time. */
function ordered(told: readonly Finding[]): Finding[] {
  const isClockTold = told.some(({ name }) => name === 'clock');
  const findings = isClockTold ? told : [...told, skipped('clock', 'no server told the time')];
  return ORDER.flatMap((name) => findings.filter((finding) => finding.name === name));
}
