import { systemClock } from '../../clock.js';
import { readFlowRunFile } from '../../config/flow-run-file.js';
import { parseStatusConfig, type StatusConfig } from '../../config/look-config.js';
import type { JsonObject } from '../../contracts/documents.js';
import { addressRun } from '../../engine/flow-run.js';
import { Logger } from '../../log/logger.js';
import { openBackend } from '../../worker/open-backend.js';
import { absentFrom } from '../absent-from.js';
import { type Told, toldCommand } from '../told-command.js';
import { isFinal, lookAtFile, lookAtRun, type StatusView } from './look.js';
import { Manifests } from './manifests.js';
import { Screen } from './screen.js';
import { statusLines } from './text.js';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/** The command `status`: where each CHART_EXPORT step of a run stands. */
export const status = toldCommand(async ({ flags }, session, commandLine) => {
  const { env, cwd, stdout } = commandLine;
  const config = parseStatusConfig(flags, env, cwd);
  const { logger, signal } = session;
  const asked = await whichRun(config, commandLine, signal);
  if ('refused' in asked) return refuse(asked.refused, logger);

  const backend = await openBackend(config, 'read', logger);
  const manifests = new Manifests(config);
  const where = {
    backend,
    manifestOf: (uri: string, runId: string, stepId: string) => manifests.of(uri, runId, stepId),
  };
  const screen = new Screen(stdout, env, session.redact, flags.json === true);
  const untilMs = performance.now() + config.timeoutMs;
  // What is passed over is told once, not at every look.
  const quiet = new Logger(() => undefined);
  let isFirst = true;
  const look = async (): Promise<StatusView | string> => {
    const at = { ...where, logger: isFirst ? logger : quiet };
    isFirst = false;
    const seen = await lookAtRun(asked.runId, config.stepId, at);
    if (seen !== undefined) return seen;
    if (asked.document && config.backend === 'local') {
      return lookAtFile(asked.document, config.stepId, at);
    }
    return `there is no flow run ${asked.runId} in ${absentFrom(config, asked.document !== undefined)}`;
  };
  try {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
      const seen = await look();
      signal.throwIfAborted();
      if (typeof seen === 'string') return refuse(seen, logger);
      const lines = statusLines(seen, stdout, { env, cwd, backend: config.backend });
      const leftMs = untilMs - performance.now();
      if (!config.watch || isFinal(seen)) return shown(seen, screen.last(seen, lines), {});
      if (leftMs <= 0) {
        // Before the warning: what stands below a state is no longer in the way of the next one.
        if (flags.json !== true) screen.show(seen, lines);
        logger.warn(
          'watch_timed_out',
          '--timeout is over, and not every step is final; watch again',
        );
        return { ...shown(seen, '', { timedOut: true }), exitCode: 3 };
      }
      // What moves is looked at often again.
      if (screen.show(seen, lines)) pauseMs = FIRST_PAUSE_MS;
      await systemClock.sleep(Math.min(pauseMs, leftMs), signal);
      signal.throwIfAborted();
    }
  } finally {
    screen.close();
    await manifests.close();
    await backend.close();
  }
});

/** Shown, even where a manifest could not be had: then the exit code says so. */
function shown(seen: StatusView, text: string, more: object): Told {
  const isWhole = !seen.steps.some(({ manifest }) => manifest?.unreachable);
  return { exitCode: isWhole ? 0 : 4, text, json: { ...seen, ...more } };
}

type Asked =
  | { readonly runId: string; readonly document?: JsonObject }
  | { readonly refused: string };

async function whichRun(
  { of }: StatusConfig,
  from: Parameters<typeof readFlowRunFile>[1],
  signal: AbortSignal,
): Promise<Asked> {
  if ('runId' in of) return of;
  const file = await readFlowRunFile(of.flowRunPath, from, signal);
  if (!file.ok) return { refused: file.message };
  const run = addressRun(file.document, undefined);
  if ('reason' in run) return { refused: run.message };
  // Whether it has the step that was named is asked of the stored run, where there is one.
  return { runId: run.runId, document: file.document };
}

/** Nothing that can be shown: what was named is not there. */
function refuse(message: string, logger: Logger): Told {
  const error = { code: 'VALIDATION_FAILED', message };
  logger.error('config_error', message, { error });
  return { exitCode: 2, text: '', json: { error } };
}
