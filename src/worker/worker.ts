import { systemClock } from '../clock.js';
import type { WorkerConfig } from '../config/worker-config.js';
import type { ChartCache } from '../engine/chart-cache.js';
import type { EngineDeps } from '../engine/deps.js';
import { thisProcess } from '../local-disk/process-identity.js';
import type { Logger } from '../log/logger.js';
import type { Access, OpenBackend } from './backend.js';
import { openBackend } from './open-backend.js';
import { openProvider } from './open-provider.js';
import { readOnlyLedger } from './read-only-ledger.js';

/** The engine's ports, open: whoever has a step to do does it with these. */
export interface Worker extends OpenBackend {
  /** What one step is done with. */
  engineDeps(context: Pick<EngineDeps, 'logger' | 'signal' | 'windDown'>): EngineDeps;
}

/** Opens provider and backend. Rejects with `ConfigError` or `StoreUnavailable`. */
export async function openWorker(
  config: WorkerConfig,
  access: Access,
  logger: Logger,
): Promise<Worker> {
  // The cloud connects while the provider's client is loaded. A workspace is opened last: where the
  // provider's settings are wrong, none is made.
  const early = config.backend === 'gcp' ? await openBackend(config, access, logger) : undefined;
  const { provider, close: closeProvider } = await openProvider(config, logger).catch(
    async (error: unknown) => {
      await early?.close();
      throw error;
    },
  );
  const backend =
    early ??
    (await openBackend(config, access, logger).catch((error: unknown) => {
      closeProvider();
      throw error;
    }));
  // What is rehearsed in the cloud must not take production's quota away.
  const isRehearsal = config.backend === 'gcp' && config.chartsApiMode === 'mock';
  const documents = isRehearsal ? readOnlyLedger(backend.documents) : backend.documents;
  const cacheFor = config.cache.ttlMs > 0 ? await openStepCache(config) : undefined;
  return {
    ...backend,
    documents,
    engineDeps: (context) => {
      const deps: EngineDeps = {
        ...backend,
        documents,
        ...context,
        provider,
        accounts: config.accounts,
        owner: thisProcess(),
        clock: systemClock,
        settings: { ...config, isLive: config.live !== undefined },
      };
      return cacheFor ? { ...deps, cache: cacheFor(deps) } : deps;
    },
    close: async () => {
      closeProvider();
      await backend.close();
    },
  };
}

/** Loaded only where the cache is on. */
async function openStepCache(config: WorkerConfig): Promise<(deps: EngineDeps) => ChartCache> {
  const [{ StepCache }, { originsOf }] = await Promise.all([
    import('../library/step-cache.js'),
    import('../library/origins.js'),
  ]);
  const { cache, bucket, leaseTtlMs } = config;
  const settings = { ...cache, bucket, origins: originsOf(config) };
  return (deps) => new StepCache({ ...deps, leaseTtlMs }, settings, deps.logger);
}
