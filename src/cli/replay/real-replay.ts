import { gsUri, stepFolder } from '../../artifacts/object-names.js';
import type { RunConfig } from '../../config/run-config.js';
import { counted } from '../../counted.js';
import type { StepOutcome } from '../../engine/outcome.js';
import { ConfigError } from '../../failures.js';
import type { CommandLine } from '../command-line.js';
import { canAsk } from '../confirm.js';

type Planned = Extract<StepOutcome, { reason: 'planned' }>;

/** A replay of what others rely on: in the cloud itself, not on emulators. */
export function isRealReplay({ replay, dryRun, cloud }: RunConfig): boolean {
  if (!replay || dryRun || cloud === undefined) return false;
  return cloud.firestoreEmulatorHost === undefined || cloud.storageEmulatorUrl === undefined;
}

/** Throws `ConfigError` where a real replay could not be asked about. */
export function refuseUnasked(config: RunConfig, commandLine: CommandLine): void {
  if (!isRealReplay(config) || config.yes) return;
  if (!canAsk(commandLine) || config.flowRunPath === '-') {
    throw new ConfigError(
      'a replay in the cloud asks first, and there is no terminal to ask on: look with --dry-run, then add --yes',
    );
  }
}

/** One screen: what will be read, called and written. */
export function replayScreen(plan: Planned, config: RunConfig): string {
  const { runId, stepId, status, calls } = plan;
  const count = (action: Planned['plan'][number]['action']) =>
    plan.plan.filter((chart) => chart.action === action).length;
  const renders = count('render');
  const kept = count('reuse');
  const paid = calls.map(
    ({ accountId, units, left }) => `${units} from ${accountId} (${left} left today)`,
  );
  const folder = gsUri(config.bucket, stepFolder({ runId, stepId }));
  const { cloud } = config;
  const rows: readonly (readonly [string, string])[] = [
    ['reads', `flow run ${runId}, database ${cloud?.database ?? '-'}: the step is ${status}`],
    [
      'calls',
      renders === 0
        ? 'nobody'
        : `Chart-IMG for ${counted(renders, 'chart')}${paid.length > 0 ? `: ${paid.join(', ')}` : ''}`,
    ],
    ...(kept > 0 ? [['keeps', `${counted(kept, 'chart')} of the last manifest`] as const] : []),
    ...(count('fail') > 0
      ? [['fails', `${counted(count('fail'), 'chart')}, known before`] as const]
      : []),
    [
      'writes',
      `${counted(renders, 'PNG')} and manifest.json in ${folder}; the last manifest stays beside it`,
    ],
    ['then', 'the step is RUNNING, and gets its new end'],
  ];
  const lines = rows.map(([what, words]) => `  ${what.padEnd(7)} ${words}`);
  return `This does step ${stepId} of run ${runId} again:\n${lines.join('\n')}\n`;
}
