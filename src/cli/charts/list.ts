import { parseChartsConfig } from '../../config/charts-config.js';
import { counted } from '../../counted.js';
import { kilobytes } from '../../kilobytes.js';
import type { Snapshot } from '../../library/snapshots/snapshot.js';
import { Snapshots } from '../../library/snapshots/snapshots.js';
import { openBackend } from '../../worker/open-backend.js';
import { type Cell, table } from '../table.js';
import { toldCommand } from '../told-command.js';
import { chosenCharts } from './chosen.js';

/** The command `charts list`. */
export const listCharts = toldCommand(async ({ flags }, session, { env, cwd }) => {
  const config = parseChartsConfig(flags, env, cwd);
  const backend = await openBackend(config, 'read', session.logger);
  try {
    const filter = await chosenCharts(config, backend);
    const { snapshots, next } = await new Snapshots(backend).list(filter, config);
    const ending = [
      counted(snapshots.length, 'chart'),
      ...(next === undefined ? [] : [`more: --cursor ${next}`]),
    ];
    // As wide as it is, also on a narrow terminal: of an id that is cut nobody has any use.
    const rows = table(COLUMNS, snapshots.map(cellsOf), Number.POSITIVE_INFINITY);
    const lines = [...(snapshots.length > 0 ? [...rows, ''] : []), ending.join('; ')];
    return {
      exitCode: 0,
      text: `${lines.join('\n')}\n`,
      json: { snapshots, next: next ?? null },
    };
  } finally {
    await backend.close();
  }
});

const COLUMNS = [
  { head: 'MADE' },
  { head: 'SYMBOL' },
  { head: 'TIME' },
  { head: 'TEMPLATE' },
  { head: 'FOR' },
  { head: 'SIZE', align: 'right' },
  { head: 'ID' },
] as const;

function cellsOf(snapshot: Snapshot): Cell[] {
  const { generatedAt, symbol, timeframe, chartTemplateId, triggerType, id } = snapshot;
  const size = snapshot.state === 'expired' ? 'expired' : kilobytes(snapshot.bytes);
  const made = `${generatedAt.slice(0, 19).replace('T', ' ')} UTC`;
  const texts = [made, symbol, timeframe, chartTemplateId, triggerType, size, id];
  return texts.map((text) => ({ text }));
}
