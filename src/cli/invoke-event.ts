import { resolve } from 'node:path';
import { deliver } from '../cloud-event/deliver.js';
import type { EventMessage } from '../cloud-event/flow-run-event.js';
import { parseWorkerConfig } from '../config/run-config.js';
import type { WorkerConfig } from '../config/worker-config.js';
import { isJsonObject } from '../contracts/documents.js';
import type { StepOutcome } from '../engine/outcome.js';
import { ConfigError, reasonOf } from '../failures.js';
import { readInput } from '../local-disk/input-file.js';
import { timeFor } from '../worker/do-run.js';
import { openWorker, type Worker } from '../worker/worker.js';
import { absentFrom } from './absent-from.js';
import { announce } from './announce.js';
import { stepResults } from './step-results.js';
import { toldCommand } from './told-command.js';

/**
 * The command `invoke-event`: a saved event through the function's own adapter. Exits as `run-local`
 * would for the worst of the steps that it did; 2 when the event is ignored.
 */
export const invokeEvent = toldCommand(async ({ flags }, session, { env, cwd }) => {
  const message = await savedMessage(flags.eventPath, flags.eventBody, cwd);
  const config = await parseWorkerConfig(flags, env, cwd);
  session.know(config.accounts);
  announce({ mode: 'event' }, config, session.logger);
  let worker: Worker | undefined;
  const open = async () => {
    worker = await openWorker(config, 'write-if-there', session.logger);
    return worker;
  };
  try {
    const { logger, signal } = session;
    const context = { logger, signal, ...timeFor(config.timeoutMs) };
    const delivery = await deliver(message, open, context);
    const { answer, ignored } = delivery;
    const outcomes = delivery.outcomes.map((outcome) => placed(outcome, config));
    const { summaries, lines, exitCode } = stepResults(outcomes, config, session.cause());
    const said = ignored === undefined ? `answered ${answer}` : `answered ${answer}: ${ignored}`;
    return {
      exitCode: ignored === undefined ? exitCode : 2,
      text: `${[...lines, said].join('\n')}\n`,
      json: { answer, ignored: ignored ?? null, steps: summaries },
    };
  } finally {
    await worker?.close();
  }
});

/** A run that is not there, with the place that was looked in. */
function placed(outcome: StepOutcome, config: WorkerConfig): StepOutcome {
  if (outcome.reason !== 'not-addressable' || !outcome.isAbsent) return outcome;
  return { ...outcome, message: `${outcome.message} in ${absentFrom(config, false)}` };
}

/** The request that the file stands for: it holds the event, or the headers of a binary one. */
async function savedMessage(
  eventPath: unknown,
  eventBody: unknown,
  cwd: string,
): Promise<EventMessage> {
  if (typeof eventPath !== 'string' || eventPath === '') {
    throw new ConfigError(
      '--event-path is required: name a file with a CloudEvent, or its headers',
    );
  }
  const body = await read('--event-path', resolve(cwd, eventPath));
  const names = Object.entries(headersIn(body)).map(
    ([name, value]) => [name.toLowerCase(), value] as const,
  );
  if (!names.some(([name]) => name.startsWith('ce-'))) {
    if (eventBody !== undefined) {
      throw new ConfigError(
        '--event-body belongs to a binary event: --event-path names no ce- headers',
      );
    }
    return { headers: { 'content-type': 'application/cloudevents+json' }, body };
  }
  const data =
    typeof eventBody === 'string'
      ? await read('--event-body', resolve(cwd, eventBody))
      : Buffer.alloc(0);
  return { headers: Object.fromEntries(names), body: data };
}

/** What is not JSON is no headers: the adapter says what it is. */
function headersIn(bytes: Buffer): Readonly<Record<string, string>> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return isJsonObject(value) ? (value as Record<string, string>) : {};
  } catch {
    return {};
  }
}

async function read(flag: string, path: string): Promise<Buffer> {
  try {
    return await readInput(path);
  } catch (error) {
    throw new ConfigError(`${flag}: ${path} cannot be read: ${reasonOf(error)}`);
  }
}
