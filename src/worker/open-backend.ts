import type { PlaceConfig } from '../config/worker-config.js';
import type { Logger } from '../log/logger.js';
import type { Access, OpenBackend } from './backend.js';

/** Opens the backend that was asked for. Rejects with `ConfigError` or `StoreUnavailable`. */
export async function openBackend(
  config: PlaceConfig,
  access: Access,
  logger: Logger,
): Promise<OpenBackend> {
  const { cloud } = config;
  if (cloud === undefined) {
    const { openLocalBackend } = await import('./local-backend.js');
    return openLocalBackend(config, access);
  }
  const { openGcpBackend } = await import('./gcp-backend.js');
  return openGcpBackend({ ...config, cloud }, logger);
}
