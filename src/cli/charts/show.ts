import { parseChartsConfig } from '../../config/charts-config.js';
import { ConfigError } from '../../failures.js';
import { Snapshots } from '../../library/snapshots/snapshots.js';
import { openBackend } from '../../worker/open-backend.js';
import { toldCommand } from '../told-command.js';
import { toldChart } from './told-chart.js';

/** The command `charts show`. */
export const showChart = toldCommand(async ({ flags, operands }, { logger }, { env, cwd }) => {
  const config = parseChartsConfig(flags, env, cwd);
  const [id] = operands;
  if (id === undefined) throw new ConfigError('name a chart by its id; charts list shows them');
  const backend = await openBackend(config, 'read', logger);
  try {
    const snapshot = await new Snapshots(backend).find(id);
    if (snapshot) return await toldChart(snapshot, config, cwd, logger);
    throw new ConfigError(
      `there is no chart ${JSON.stringify(id.slice(0, 200))}; charts list shows them`,
    );
  } finally {
    await backend.close();
  }
});
