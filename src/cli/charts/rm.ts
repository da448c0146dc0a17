import { parsePlaceConfig } from '../../config/run-config.js';
import { ConfigError } from '../../failures.js';
import { Snapshots } from '../../library/snapshots/snapshots.js';
import { openBackend } from '../../worker/open-backend.js';
import { toLines } from '../lines.js';
import { toldCommand } from '../told-command.js';

/** The command `charts rm`: exit 1 where one of them was not removed. */
export const removeCharts = toldCommand(async ({ flags, operands }, session, { env, cwd }) => {
  const config = parsePlaceConfig(flags, env, cwd, { bucket: true });
  if (operands.length === 0) {
    throw new ConfigError('name charts by their ids; charts list shows them');
  }
  const force = flags.force === true;
  const backend = await openBackend(config, 'write-if-there', session.logger);
  try {
    const snapshots = new Snapshots(backend);
    const charts: { id: string; result: keyof typeof WORDS }[] = [];
    for (const id of new Set(operands)) {
      session.signal.throwIfAborted();
      charts.push({ id, result: await snapshots.remove(id, { force }) });
    }
    return {
      exitCode: charts.every(({ result }) => result === 'removed') ? 0 : 1,
      text: toLines(charts.map(({ id, result }) => `${result.padEnd(7)}  ${id}${WORDS[result]}`)),
      json: { charts },
    };
  } finally {
    await backend.close();
  }
});

const WORDS = {
  removed: '',
  absent: '  there is no such chart',
  kept: '  a manifest still names its picture; --force removes it all the same',
} as const;
