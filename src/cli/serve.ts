import { parseServeConfig } from '../config/serve-config.js';
import { paths } from '../documents/paths.js';
import { libraryOn } from '../library/library-on.js';
import { openWorker } from '../worker/worker.js';
import { announce } from './announce.js';
import { SIGNAL_EXIT_CODES } from './outcome-view.js';
import { toldCommand } from './told-command.js';

/** What is in flight when a signal comes. Cloud Run kills after 10 s; what is cut takes up to 2 more. */
const FINISH_MS = 7_000;

/**
 * The command `serve`: exit 0 when it was asked to end and all that was in flight had its answer,
 * the signal's code when something was cut.
 */
export const serve = toldCommand(async ({ flags }, session, { env, cwd, stdout }) => {
  const config = await parseServeConfig(flags, env, cwd);
  const { host, port, token } = config;
  session.know(config.accounts, ...(token === undefined ? [] : [token]));
  const { logger, signal, redact } = session;
  announce({ mode: 'serve' }, config, logger);
  const { openDoor } = await import('../serve/door.js');
  const worker = await openWorker(config, 'write', logger);
  const library = libraryOn(worker, config, logger);
  try {
    const lookAtStore = async () => {
      await worker.documents.read([paths.chartSymbol('clock')]);
    };
    const door = await openDoor({ library, lookAtStore, logger, redact }, config);
    const url = await door.listen({ host, port });
    logger.info('http_listening', `listening on ${url}`, { url, hasToken: token !== undefined });
    stdout.write(`listening on ${url}\n`);
    await aborted(signal);
    const end = await door.close(FINISH_MS);
    const words = end === 'cut' ? 'stopped; requests in flight were cut' : 'stopped';
    logger.info('http_stopped', words, { end });
    const exitCode = end === 'cut' ? SIGNAL_EXIT_CODES[session.cause() ?? 'SIGTERM'] : 0;
    return { exitCode, text: '', json: {} };
  } finally {
    await library.close();
  }
});

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
