import type { ChartProvider } from '../chart-img/chart-provider.js';
import { FixtureProvider } from '../chart-img/fixture-provider.js';
import { bundled } from '../config/bundled.js';
import type { WorkerConfig } from '../config/worker-config.js';
import type { Logger } from '../log/logger.js';
import { redactorFor } from '../log/redact.js';

/** A provider and, where it holds sockets, how to let go of them. */
export interface OpenProvider {
  readonly provider: ChartProvider;
  close(): void;
}

/** Who answers in the mode that was asked for; what calls nobody loads no HTTP client. */
export async function openProvider(config: WorkerConfig, logger: Logger): Promise<OpenProvider> {
  const { live, fixturesDir, chartsApiMode, accounts } = config;
  if (live === undefined) {
    const folders = fixturesDir === undefined ? [] : [fixturesDir];
    const provider = new FixtureProvider([...folders, bundled.fixtures]);
    return { provider, close: () => undefined };
  }
  const { LiveProvider } = await import('../chart-img/live/live-provider.js');
  const caller = new LiveProvider(live);
  const close = () => caller.close();
  if (chartsApiMode === 'real' || fixturesDir === undefined) return { provider: caller, close };
  const { RecordingProvider } = await import('../chart-img/recording-provider.js');
  const redact = redactorFor(accounts.map(({ apiKey }) => apiKey));
  const provider = new RecordingProvider(caller, fixturesDir, redact, (message) =>
    logger.warn('recording_not_saved', message),
  );
  return { provider, close };
}
