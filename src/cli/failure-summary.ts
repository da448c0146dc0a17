import { viewOf } from './outcome-view.js';
import { toSummary } from './summary.js';
import type { TerminalStream } from './terminal.js';

/** The JSON summary of a run that came no further than its flags. */
export function printFailure(message: string, stdout: TerminalStream): void {
  const outcome = { reason: 'misconfigured', message } as const;
  const summary = toSummary(outcome, viewOf(outcome, undefined), {
    chartsApiMode: null,
    backend: null,
    dryRun: false,
    localPathOf: () => undefined,
  });
  stdout.write(`${JSON.stringify(summary)}\n`);
}
