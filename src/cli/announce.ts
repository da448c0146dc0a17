import type { WorkerConfig } from '../config/worker-config.js';
import type { Logger } from '../log/logger.js';

/** What a command was asked to do, for its first log line. */
export interface Asked {
  readonly mode:
    | 'run'
    | 'replay'
    | 'dry-run'
    | 'scratch'
    | 'sweep'
    | 'event'
    | 'generate'
    | 'serve';
  readonly flowRunPath?: string | undefined;
  readonly stepId?: string | undefined;
}

/** Where a command reads and writes, before it does; the cloud's own facts follow once known. */
export function announce(asked: Asked, config: WorkerConfig, logger: Logger): void {
  const { chartsApiMode, backend, bucket, workspace, accounts } = config;
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
      mode: asked.mode,
      flowRunPath: asked.flowRunPath ?? null,
      stepId: asked.stepId ?? null,
      chartsApiMode,
      backend,
      bucket,
      workspace: isLocal ? workspace : null,
      ledger,
    },
  );
  for (const warning of config.warnings) logger.warn('config_warning', warning);
}
