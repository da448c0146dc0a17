import { bundled } from '../config/bundled.js';
import type { WorkerConfig } from '../config/worker-config.js';
import type { Origins } from './chart-key.js';

/** Who draws what this worker asks for: a fixture is never taken for a chart of the service. */
export function originsOf({
  live,
  fixturesDir,
  chartsApiMode,
}: Pick<WorkerConfig, 'live' | 'fixturesDir' | 'chartsApiMode'>): Origins {
  const folders = [fixturesDir, chartsApiMode === 'mock' ? bundled.fixtures : undefined];
  return {
    'chart-img': live === undefined ? 'nobody' : new URL(live.baseUrl).href.replace(/\/+$/, ''),
    fixture: `fixtures ${JSON.stringify(folders.filter((folder) => folder !== undefined))}`,
  };
}
