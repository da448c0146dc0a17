import { ConfigError, reasonOf, StoreUnavailable } from '../failures.js';
import { redactJson } from '../log/redact.js';
import type { Command, Given } from './command.js';
import type { CommandLine } from './command-line.js';
import { SIGNAL_EXIT_CODES } from './outcome-view.js';
import { openSession, type Session } from './session.js';

/** What a command has to say on stdout: for people, and with `--json` as one object on one line. */
export interface Told {
  readonly exitCode: number;
  /** Lines, with the last one's end. */
  readonly text: string;
  readonly json: object;
}

/**
 * A command that works, and then tells. What stops it is one line on stderr and, with `--json`, an
 * object with its `error`: exit 2 for what the user can mend, 4 for a store that cannot be used.
 */
export function toldCommand(
  work: (given: Given, session: Session, commandLine: CommandLine) => Promise<Told>,
): Command {
  return async (given, commandLine) => {
    const { stdout, stderr } = commandLine;
    const isJson = given.flags.json === true;
    let session: Session;
    try {
      session = await openSession(given.flags, commandLine);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      stderr.write(`error: ${error.message}\n`);
      if (isJson) stdout.write(`${JSON.stringify(errorObject('CONFIG_ERROR', error.message))}\n`);
      return 2;
    }
    try {
      const { exitCode, text, json } = await work(given, session, commandLine).catch((error) =>
        failure(error, session),
      );
      session.closeLog();
      stdout.write(
        isJson ? `${JSON.stringify(redactJson(json, session.redact))}\n` : session.redact(text),
      );
      return exitCode;
    } finally {
      session.close();
    }
  };
}

function failure(error: unknown, { logger, signal, cause }: Session): Told {
  if (signal.aborted && error === signal.reason) {
    const code = SIGNAL_EXIT_CODES[cause() ?? 'SIGINT'];
    return { exitCode: code, text: '', json: errorObject('INTERRUPTED', 'interrupted') };
  }
  const reason = reasonOf(error);
  if (error instanceof ConfigError) {
    logger.error('config_error', reason, { error: { code: 'CONFIG_ERROR', message: reason } });
    return { exitCode: 2, text: '', json: errorObject('CONFIG_ERROR', reason) };
  }
  const isKnown = error instanceof StoreUnavailable;
  const message = isKnown ? reason : `a bug in this worker: ${reason}`;
  if (!isKnown) {
    const stack = error instanceof Error ? (error.stack ?? null) : null;
    logger.debug('internal_error', reason, { stack });
  }
  const object = errorObject('INFRASTRUCTURE_ERROR', message);
  logger.error('infrastructure_error', message, object);
  return { exitCode: 4, text: '', json: object };
}

function errorObject(code: string, message: string) {
  return { error: { code, message } };
}
