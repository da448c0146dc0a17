import { readFlowRunFile } from '../config/flow-run-file.js';
import type { GivenFlags } from '../config/options.js';
import { parseRunConfig, type RunConfig } from '../config/run-config.js';
import type { StepOutcome } from '../engine/outcome.js';
import { ConfigError, reasonOf, StoreUnavailable } from '../failures.js';
import { redactJson } from '../log/redact.js';
import { type Asked, announce } from './announce.js';
import type { Command } from './command.js';
import type { CommandLine } from './command-line.js';
import { printFailure } from './failure-summary.js';
import { tellGithub } from './github.js';
import { isError, viewOf } from './outcome-view.js';
import { refuseUnasked } from './replay/real-replay.js';
import { type FlowRunResult, runFlowRun } from './run-flow-run.js';
import { openSession, type Session } from './session.js';
import { type SummaryContext, toSummary, toText } from './summary.js';

/** The command `run-local`; resolves to the exit code. */
export const runLocal: Command = async ({ flags }, commandLine) => {
  const { stdout, stderr, cwd } = commandLine;
  let session: Session;
  try {
    session = await openSession(flags, commandLine);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    stderr.write(`error: ${error.message}\n`);
    if (flags.outputSummary === 'json') printFailure(error.message, stdout);
    return 2;
  }
  try {
    const { config, run } = await attempt(flags, commandLine, session);
    const { outcome } = run;
    const view = viewOf(outcome, session.cause());
    if (isError(view)) {
      const event = view.exitCode === 4 ? 'infrastructure_error' : 'config_error';
      const error = { code: view.errorCode, message: view.message };
      session.logger.error(event, view.message, { error });
    }
    session.closeLog();
    const context: SummaryContext = {
      chartsApiMode: config?.chartsApiMode ?? null,
      backend: config?.backend ?? null,
      dryRun: flags.dryRun === true,
      localPathOf: run.localPathOf,
    };
    const summary = toSummary(outcome, view, context);
    const { output, redact } = session;
    if (output.github) await tellGithub(output.github, { summary, view, context }, session, stderr);
    if (output.summary === 'json') {
      stdout.write(`${JSON.stringify(redactJson(summary, redact))}\n`);
    } else if (output.summary === 'text') {
      stdout.write(redact(toText(summary, view, { ...context, cwd })));
    }
    return view.exitCode;
  } finally {
    session.close();
  }
};

/** Config → flow run → backend; whatever stops it on the way is an outcome. */
async function attempt(
  flags: GivenFlags,
  commandLine: CommandLine,
  { logger, signal, know }: Session,
): Promise<{ config: RunConfig | undefined; run: FlowRunResult }> {
  const ended = (outcome: StepOutcome): FlowRunResult => ({
    outcome,
    localPathOf: () => undefined,
  });
  const { env, cwd } = commandLine;
  let config: RunConfig | undefined;
  try {
    config = await parseRunConfig(flags, env, cwd);
    know(config.accounts);
    announce({ ...config, mode: modeOf(config) }, config, logger);
    refuseUnasked(config, commandLine);
    const context = { logger, signal, commandLine };
    if (config.flowRunPath === undefined) {
      return { config, run: await runFlowRun(config, undefined, context) };
    }
    const file = await readFlowRunFile(config.flowRunPath, commandLine, signal);
    if (!file.ok) {
      const { message } = file;
      return {
        config,
        run: ended({ reason: 'not-addressable', runId: null, stepId: null, message }),
      };
    }
    return { config, run: await runFlowRun(config, file.document, context) };
  } catch (error) {
    if (signal.aborted && error === signal.reason) {
      const message = 'interrupted before the claim; nothing was written';
      const outcome = { reason: 'interrupted', runId: null, stepId: null } as const;
      return { config, run: ended({ ...outcome, claimed: false, attempt: null, message }) };
    }
    const message = reasonOf(error);
    if (error instanceof ConfigError) {
      return { config, run: ended({ reason: 'misconfigured', message }) };
    }
    if (!(error instanceof StoreUnavailable)) {
      logger.debug('internal_error', message, {
        stack: error instanceof Error ? error.stack : null,
      });
    }
    const words = error instanceof StoreUnavailable ? message : `a bug in this worker: ${message}`;
    const identity = { runId: null, stepId: flags.stepId ? String(flags.stepId) : null };
    const outcome = {
      reason: 'infrastructure-failed',
      ...identity,
      message: words,
      cause: error,
    } as const;
    return { config, run: ended(outcome) };
  }
}

function modeOf({ dryRun, replay, scratch }: RunConfig): Asked['mode'] {
  if (scratch) return 'scratch';
  if (dryRun) return 'dry-run';
  return replay ? 'replay' : 'run';
}
