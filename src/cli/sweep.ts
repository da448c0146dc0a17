import { parseWorkerConfig } from '../config/run-config.js';
import { counted } from '../counted.js';
import { timeFor } from '../worker/do-run.js';
import { sweep } from '../worker/sweep.js';
import { openWorker } from '../worker/worker.js';
import { announce } from './announce.js';
import { stepResults } from './step-results.js';
import { toldCommand } from './told-command.js';

/** The command `sweep`; exits as `run-local` would for the worst of the steps that it did. */
export const sweepCommand = toldCommand(async ({ flags }, session, { env, cwd }) => {
  const config = await parseWorkerConfig(flags, env, cwd);
  session.know(config.accounts);
  announce({ mode: 'sweep' }, config, session.logger);
  const worker = await openWorker(config, 'write-if-there', session.logger);
  try {
    const { logger, signal } = session;
    const context = { logger, signal, ...timeFor(config.timeoutMs) };
    const { outcomes, ...tally } = await sweep(worker, context);
    const { summaries, lines, exitCode } = stepResults(outcomes, config, session.cause());
    const words = [
      counted(tally.runs, 'open flow run'),
      `${counted(outcomes.length, 'step')} done or tried`,
      `${counted(tally.leasesClosed, 'lease')} closed`,
      `${counted(tally.runningLong, 'step')} RUNNING too long`,
      ...(tally.complete ? [] : ['not finished: sweep again']),
    ];
    return {
      exitCode,
      text: `${[...lines, words.join(', ')].join('\n')}\n`,
      json: { ...tally, steps: summaries },
    };
  } finally {
    await worker.close();
  }
});
