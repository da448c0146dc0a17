import { ConfigError } from '../failures.js';
import { isProduction, Source } from './source.js';
import { type WorkerConfig, workerConfig } from './worker-config.js';

/** Below the 540 s that a Cloud Run function gets at most: what is left writes the end. */
const FUNCTION_DEFAULTS = { chartsApiMode: 'real', timeoutSeconds: 500, cacheTtlMs: 0 } as const;

/**
 * What the function is told, by its environment alone. It always works on gcp. Rejects with one
 * `ConfigError` for everything that is wrong.
 */
export async function parseFunctionConfig(
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<WorkerConfig> {
  const source = new Source({ backend: 'gcp' }, env, cwd, { hasFlags: false });
  const config = await workerConfig(source, FUNCTION_DEFAULTS);
  if (config.chartsApiMode === 'record') {
    throw new ConfigError(
      'CHARTS_API_MODE: record is refused here: recordings end with the instance',
    );
  }
  if (config.chartsApiMode === 'mock' && isProduction(env)) {
    throw new ConfigError(
      'CHARTS_API_MODE: mock is refused in production (TDA_ENV or ENV): its charts would be taken for real ones',
    );
  }
  source.throwIfWrong();
  return config;
}
