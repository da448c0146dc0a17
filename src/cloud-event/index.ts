import { finished } from 'node:stream/promises';
import { type HttpFunction, http, type Response } from '@google-cloud/functions-framework';
import { ConfigError, reasonOf } from '../failures.js';
import { answerOfAll } from './answers.js';
import { FunctionInstance } from './function-instance.js';
import { keepBodiesRaw, rawMessage } from './raw-request.js';

const instance = new FunctionInstance({
  env: process.env,
  cwd: process.cwd(),
  write: (line) => process.stdout.write(line),
});
keepBodiesRaw();
let hasSignals = false;

/** The Firestore trigger's target. Answers as the table of `answers.ts` says. */
export const workerChartExport = endingInTime(async (request, response) => {
  const { answer } = await instance.deliver(rawMessage(request));
  await send(response, answer);
});

/**
 * The scheduler's target: does what events were lost for. Answers with what it came to, 200, or 500
 * where an event would be answered so.
 */
export const workerChartExportSweep = endingInTime(async (_, response) => {
  try {
    const { outcomes, ...tally } = await instance.sweep();
    const status = answerOfAll(outcomes) === 500 ? 500 : 200;
    await send(response, status, { ...tally, steps: outcomes.map(({ reason }) => reason) });
  } catch (error) {
    const message = reasonOf(error);
    const [event, code] =
      error instanceof ConfigError
        ? (['config_error', 'CONFIG_ERROR'] as const)
        : (['infrastructure_error', 'INFRASTRUCTURE_ERROR'] as const);
    instance.logger.error(event, message, { error: { code, message } });
    await send(response, 500);
  }
});

// With the http signature the answer is ours to choose; with the framework's own for events there is
// but 204 and 500.
http('workerChartExport', workerChartExport);
http('workerChartExportSweep', workerChartExportSweep);

/** The end of the process waits for this function, up to its answer's last byte. */
function endingInTime(work: HttpFunction): HttpFunction {
  return (request, response) => {
    takeSignalsOver();
    return instance.ending.with(Promise.resolve(work(request, response)));
  };
}

/**
 * The framework answers 500 to whatever is under way, and ends the process at once. It sets its
 * listeners up after this module is loaded: hence not before the first request.
 */
function takeSignalsOver(): void {
  if (hasSignals) return;
  hasSignals = true;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.removeAllListeners(signal);
    process.once(signal, () => {
      instance.logger.info('instance_ending', `${signal}: no chart is begun any more`, { signal });
      // Nobody else ends the process: its sockets and the framework's server would keep it.
      void instance.ending.come().then(() => process.exit(0));
    });
  }
}

function send(response: Response, status: number, body?: object): Promise<void> {
  response.status(status);
  if (body) response.json(body);
  else response.end();
  // Whoever asked may be gone; the work is done all the same.
  return finished(response).catch(() => undefined);
}
