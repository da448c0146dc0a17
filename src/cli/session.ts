import type { GivenFlags } from '../config/options.js';
import { type OutputConfig, parseOutputConfig } from '../config/output-config.js';
import type { Account } from '../contracts/documents.js';
import { reasonOf } from '../failures.js';
import { atLeast, jsonSink } from '../log/json-sink.js';
import { Logger, type LogSink } from '../log/logger.js';
import { type Redactor, redactorFor } from '../log/redact.js';
import type { CommandLine } from './command-line.js';
import { listenForInterruption } from './interruption.js';
import type { EndingSignal } from './outcome-view.js';

/** What a command speaks and listens with. */
export interface Session {
  readonly output: OutputConfig;
  readonly logger: Logger;
  /** Aborts at the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** The signal that came first. */
  cause(): EndingSignal | undefined;
  readonly redact: Redactor;
  /** From now on these accounts' keys, and further secrets, are masked in whatever is said. */
  know(accounts: readonly Account[], ...secrets: readonly string[]): void;
  /** Ends the live line, before stdout gets its words. */
  closeLog(): void;
  close(): void;
}

/** Rejects with `ConfigError` if not even that can be understood how to speak. */
export async function openSession(flags: GivenFlags, commandLine: CommandLine): Promise<Session> {
  const output = parseOutputConfig(flags, commandLine.env);
  // Keys are known only once the accounts are read; nothing before that has seen one.
  let mask: Redactor = (text) => text;
  const redact: Redactor = (text) => mask(text);
  const log = await openLog(output, commandLine, redact);
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
  return {
    output,
    logger,
    signal: interruption.signal,
    cause: interruption.cause,
    redact,
    know: (accounts, ...secrets) => {
      mask = redactorFor([...accounts.map(({ apiKey }) => apiKey), ...secrets]);
    },
    closeLog: log.close,
    close: () => {
      log.close();
      interruption.dispose();
    },
  };
}

async function openLog(
  { format, severity }: OutputConfig,
  { env, stderr }: CommandLine,
  redact: Redactor,
): Promise<{ readonly sink: LogSink; close(): void }> {
  const isPretty = format === 'pretty' || (format === 'auto' && stderr.isTTY === true);
  if (isPretty) {
    // Colours and a live line are nothing to a log of JSON.
    const { prettyLog } = await import('./pretty-sink.js');
    return prettyLog({ stream: stderr, env, redact, severity });
  }
  const sink = jsonSink({
    write: (line) => stderr.write(line),
    redact,
    env: env.TDA_ENV || env.ENV || 'local',
    now: () => new Date(),
  });
  return { sink: atLeast(severity, sink), close: () => undefined };
}
