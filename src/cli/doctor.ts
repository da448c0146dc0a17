import { inspectConfig } from '../config/run-config.js';
import { counted } from '../counted.js';
import { checkup } from '../doctor/checkup.js';
import type { Finding } from '../doctor/finding.js';
import { toldCommand } from './told-command.js';

const MARKS: Readonly<Record<Finding['state'], string>> = {
  ok: '✔',
  warning: '!',
  failed: '✖',
  skipped: '–',
};

/** The command `doctor`; exits 1 if a check failed. */
export const doctor = toldCommand(async ({ flags }, session, { env, cwd, nodeVersion }) => {
  const { signal } = session;
  const interrupted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  const inspected = await inspectConfig(flags, env, cwd);
  session.know(inspected.accounts.accounts);
  const work = checkup(inspected, {
    write: flags.write === true,
    nodeVersion,
  });
  const findings = await Promise.race([work, interrupted]);
  const count = (state: Finding['state']) =>
    findings.filter((finding) => finding.state === state).length;
  const [failures, warnings] = [count('failed'), count('warning')];
  const isWell = failures === 0;
  const verdict = isWell ? 'nothing failed' : `${counted(failures, 'check')} failed`;
  const also = warnings === 0 ? '' : `, ${counted(warnings, 'warning')}`;
  return {
    exitCode: isWell ? 0 : 1,
    text: `${[...findings.flatMap(linesOf), `${verdict}${also}`].join('\n')}\n`,
    json: { ok: isWell, checks: findings },
  };
});

function linesOf({ name, state, fact, remedy }: Finding): string[] {
  const line = `${MARKS[state]} ${name.padEnd(11)}  ${fact}`;
  return remedy === undefined ? [line] : [line, `  → ${remedy}`];
}
