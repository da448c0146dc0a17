import { Chalk, type ChalkInstance } from 'chalk';
import type { Ora } from 'ora';
import type { LogEvent, LogSink } from '../log/logger.js';
import type { Redactor } from '../log/redact.js';
import { canAnimate, colourLevel, type TerminalStream } from './terminal.js';

export interface PrettyLog {
  readonly sink: LogSink;
  /** Ends the live line. */
  close(): void;
}

/** Events as lines for people: where the run reads and writes, one line a chart, a live line. */
export async function prettyLog(options: {
  readonly stream: TerminalStream;
  readonly env: NodeJS.ProcessEnv;
  readonly redact: Redactor;
  readonly verbose: boolean;
}): Promise<PrettyLog> {
  const { stream, env, redact, verbose } = options;
  const chalk = new Chalk({ level: colourLevel(stream, env) });
  const spinner = canAnimate(stream, env) ? await makeSpinner(stream, chalk.level > 0) : undefined;
  let [done, total] = [0, 0];

  const print = (line: string) => {
    spinner?.clear();
    stream.write(`${redact(line)}\n`);
    spinner?.render();
  };
  const sink: LogSink = (event) => {
    if (event.event === 'core_start') {
      total = Number(event.fields.total ?? 0);
      spinner?.start(`0/${total} charts`);
    }
    if (CHART_ENDS.has(event.event)) {
      done += 1;
      if (spinner) spinner.text = `${done}/${total} charts`;
    }
    if (event.event === 'step_completed') spinner?.stop();
    const line = lineOf(event, chalk, verbose);
    if (line !== undefined) print(line);
  };
  return { sink, close: () => spinner?.stop() };
}

const CHART_ENDS = new Set(['chart_stored', 'chart_failed', 'chart_reused']);

/** `undefined`: nothing that a person at a terminal needs to see. */
function lineOf(event: LogEvent, chalk: ChalkInstance, verbose: boolean): string | undefined {
  const { severity, message, fields } = event;
  switch (event.event) {
    case 'local_run_started':
    case 'cloud_target':
    case 'flow_run_created':
    case 'scratch_run':
      return chalk.dim(message);
    case 'chart_stored': {
      const account = fields.accountId ? `, account ${String(fields.accountId)}` : '';
      const facts = `${String(fields.width)}×${String(fields.height)}, ${String(fields.durationMs)} ms${account}`;
      return `${chalk.green('✔')} ${String(fields.chartTemplateId)} ${chalk.dim(`(${facts})`)}`;
    }
    case 'chart_reused':
      return `${chalk.green('✔')} ${message}`;
    case 'chart_failed':
      return `${chalk.red('✖')} ${message}`;
    // Said by `chart_failed` too.
    case 'chart_api_mock_missing':
    case 'chart_api_limit_exceeded':
      return undefined;
    default:
      if (severity === 'ERROR') return `${chalk.red('error:')} ${message}`;
      if (severity === 'WARNING') return `${chalk.yellow('warning:')} ${message}`;
      return verbose ? chalk.dim(message) : undefined;
  }
}

/** Loaded only where it can turn. */
async function makeSpinner(stream: TerminalStream, isColoured: boolean): Promise<Ora> {
  const { default: ora } = await import('ora');
  // With stdin left alone Ctrl-C reaches us as the signal it is.
  return ora({
    stream: stream as NodeJS.WriteStream,
    discardStdin: false,
    color: isColoured ? 'cyan' : false,
  });
}
