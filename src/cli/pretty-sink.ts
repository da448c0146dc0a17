import { Chalk, type ChalkInstance } from 'chalk';
import { kilobytes } from '../kilobytes.js';
import { isAtLeast } from '../log/json-sink.js';
import type { LogEvent, LogSink, Severity } from '../log/logger.js';
import type { Redactor } from '../log/redact.js';
import { LiveLine } from './live-line.js';
import { colourLevel, type TerminalStream } from './terminal.js';

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
  /** Less severe events get no line of their own; without the news there is no live line either. */
  readonly severity: Severity;
}): Promise<PrettyLog> {
  const { stream, env, redact, severity } = options;
  const chalk = new Chalk({ level: colourLevel(stream, env) });
  const write = (line: string) => stream.write(`${redact(line)}\n`);
  const live = isAtLeast(severity, 'INFO')
    ? await LiveLine.on(stream, {
        env,
        isColoured: chalk.level > 0,
        say: (line) => write(chalk.dim(line)),
      })
    : undefined;
  const sink: LogSink = (event) => {
    live?.follow(event);
    const isWanted = isAtLeast(severity, event.severity);
    const line = isWanted ? lineOf(event, chalk, severity === 'DEBUG') : undefined;
    if (line === undefined) return;
    if (live) live.above(() => write(line));
    else write(line);
  };
  return { sink, close: () => live?.close() };
}

/** `undefined`: nothing that a person at a terminal needs to see. */
function lineOf(event: LogEvent, chalk: ChalkInstance, verbose: boolean): string | undefined {
  const { severity, message, fields } = event;
  switch (event.event) {
    case 'local_run_started':
    case 'cloud_target':
    case 'flow_run_created':
    case 'flow_run_kept':
    case 'scratch_run':
      return chalk.dim(message);
    case 'http_request':
      return severity === 'ERROR' ? `${chalk.red('✖')} ${message}` : chalk.dim(message);
    case 'chart_stored': {
      const { chartTemplateId, accountId, durationMs, width, height, bytes } = fields;
      const facts = [
        ...(accountId ? [`account ${String(accountId)}`] : []),
        `${String(durationMs)} ms`,
        kilobytes(Number(bytes)),
        `${String(width)}×${String(height)} px`,
      ];
      // Of charts without a step the template alone does not tell which.
      const what = [fields.symbol, fields.timeframe, chartTemplateId].filter(Boolean).join(' ');
      return `${chalk.green('✔')} ${what} ${chalk.dim(`(${facts.join(', ')})`)}`;
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
