import { readFlowRunFile } from '../config/flow-run-file.js';
import type { GivenFlags } from '../config/options.js';
import { type OutputConfig, parseOutputConfig } from '../config/output-config.js';
import { parseRunConfig, type RunConfig } from '../config/run-config.js';
import type { StepOutcome } from '../engine/outcome.js';
import { ConfigError, reasonOf, StoreUnavailable } from '../failures.js';
import { atLeast, jsonSink } from '../log/json-sink.js';
import { Logger, type LogSink } from '../log/logger.js';
import { type Redactor, redactJson, redactorFor } from '../log/redact.js';
import type { CommandLine } from './command-line.js';
import { printFailure } from './failure-summary.js';
import { type Interruption, listenForInterruption } from './interruption.js';
import { isError, viewOf } from './outcome-view.js';
import { prettyLog } from './pretty-sink.js';
import { type FlowRunResult, runFlowRun } from './run-flow-run.js';
import { type SummaryContext, toSummary, toText } from './summary.js';

/** The command `run-local`; resolves to the exit code. */
export async function runLocal(flags: GivenFlags, commandLine: CommandLine): Promise<number> {
  const { env, stdout, stderr } = commandLine;
  let output: OutputConfig;
  try {
    output = parseOutputConfig(flags, env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    stderr.write(`error: ${error.message}\n`);
    if (flags.outputSummary === 'json') printFailure(error.message, stdout);
    return 2;
  }

  // Keys are known only once the accounts are read; nothing before that has seen one.
  let redact: Redactor = (text) => text;
  const log = await openLog(output, commandLine, (text) => redact(text));
  const logger = new Logger(log.sink);
  commandLine.onCrash?.((error) => {
    const stack = error instanceof Error ? (error.stack ?? null) : null;
    logger.debug('internal_error', reasonOf(error), { stack });
    logger.error('infrastructure_error', `a bug in this worker: ${reasonOf(error)}`);
    commandLine.endNow(4);
  });
  const interruption = listenForInterruption(
    commandLine.signals,
    (line) => logger.warn('interrupted', line),
    commandLine.endNow,
  );
  try {
    const { config, run } = await attempt(flags, commandLine, logger, interruption, (keys) => {
      redact = redactorFor(keys);
    });
    const { outcome } = run;
    const view = viewOf(outcome, interruption.cause());
    if (isError(view)) {
      const event = view.exitCode === 4 ? 'infrastructure_error' : 'config_error';
      const error = { code: view.errorCode, message: view.message };
      logger.error(event, view.message, { error });
    }
    log.close();
    const context: SummaryContext = {
      chartsApiMode: config?.chartsApiMode ?? null,
      backend: config?.backend ?? null,
      dryRun: flags.dryRun === true,
      localPathOf: run.localPathOf,
    };
    const summary = toSummary(outcome, view, context);
    if (output.summary === 'json') {
      stdout.write(`${JSON.stringify(redactJson(summary, redact))}\n`);
    } else if (output.summary === 'text') {
      stdout.write(redact(toText(summary, view, { ...context, cwd: commandLine.cwd })));
    }
    return view.exitCode;
  } finally {
    log.close();
    interruption.dispose();
  }
}

/** Config → flow run → backend; whatever stops it on the way is an outcome. */
async function attempt(
  flags: GivenFlags,
  { env, cwd, stdin }: CommandLine,
  logger: Logger,
  { signal }: Interruption,
  onKeys: (keys: readonly string[]) => void,
): Promise<{ config: RunConfig | undefined; run: FlowRunResult }> {
  const ended = (outcome: StepOutcome): FlowRunResult => ({
    outcome,
    localPathOf: () => undefined,
  });
  let config: RunConfig | undefined;
  try {
    config = await parseRunConfig(flags, env, cwd);
    onKeys(config.accounts.map(({ apiKey }) => apiKey));
    announce(config, logger);
    for (const warning of config.warnings) logger.warn('config_warning', warning);
    const file = await readFlowRunFile(config.flowRunPath, stdin, signal);
    if (!file.ok) {
      const { message } = file;
      return {
        config,
        run: ended({ reason: 'not-addressable', runId: null, stepId: null, message }),
      };
    }
    return { config, run: await runFlowRun(config, file.document, { logger, signal }) };
  } catch (error) {
    if (signal.aborted && error === signal.reason) {
      const message = 'interrupted before the flow run was read; nothing was written';
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

/** Where the run reads and writes, before it does; the cloud's own facts follow once known. */
function announce(config: RunConfig, logger: Logger): void {
  const { flowRunPath, stepId, chartsApiMode, backend, bucket, workspace, accounts } = config;
  const mode = config.dryRun ? 'dry-run' : config.replay ? 'replay' : 'run';
  const isLocal = backend === 'local';
  const place = isLocal ? 'the workspace' : 'Firestore';
  const ledger =
    accounts.length === 0
      ? 'none'
      : `${accounts.length}, ${isLocal || chartsApiMode !== 'mock' ? 'counted' : 'read and not counted'} in ${place}`;
  const where = isLocal ? `, workspace ${workspace}` : '';
  logger.info(
    'local_run_started',
    `${backend} backend${where}, bucket gs://${bucket}, ${chartsApiMode} charts, accounts: ${ledger}`,
    {
      mode,
      flowRunPath,
      stepId: stepId ?? null,
      chartsApiMode,
      backend,
      bucket,
      workspace: isLocal ? workspace : null,
      ledger,
    },
  );
}

async function openLog(
  { format, severity, verbose }: OutputConfig,
  { env, stderr }: CommandLine,
  redact: Redactor,
): Promise<{ sink: LogSink; close(): void }> {
  const isPretty = format === 'pretty' || (format === 'auto' && stderr.isTTY === true);
  if (isPretty) {
    const pretty = await prettyLog({ stream: stderr, env, redact, verbose });
    return { sink: atLeast(severity, pretty.sink), close: () => pretty.close() };
  }
  const sink = jsonSink({
    write: (line) => stderr.write(line),
    redact,
    env: env.TDA_ENV || env.ENV || 'local',
    now: () => new Date(),
  });
  return { sink: atLeast(severity, sink), close: () => undefined };
}
