import { parseChartsConfig } from '../../config/charts-config.js';
import { Snapshots } from '../../library/snapshots/snapshots.js';
import { openBackend } from '../../worker/open-backend.js';
import { toLines } from '../lines.js';
import { toldCommand } from '../told-command.js';
import { chosenCharts } from './chosen.js';
import { toldChart } from './told-chart.js';

/** The command `charts latest`: exit 1 where no such chart is stored. */
export const latestChart = toldCommand(async ({ flags }, { logger }, { env, cwd }) => {
  const config = parseChartsConfig(flags, env, cwd, ['symbol', 'timeframe']);
  const backend = await openBackend(config, 'read', logger);
  try {
    const filter = await chosenCharts(config, backend);
    const snapshot = await new Snapshots(backend).latest(filter);
    if (snapshot) return await toldChart(snapshot, config, cwd, logger);
    const of = [filter.symbol, filter.timeframe, filter.chartTemplateId].filter(Boolean).join(' ');
    const message = `no chart of ${of} is stored`;
    return {
      exitCode: 1,
      text: toLines([message]),
      json: { snapshot: null, out: null, error: { code: 'NO_CHART', message } },
    };
  } finally {
    await backend.close();
  }
});
