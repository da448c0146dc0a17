import { resolve } from 'node:path';
import { readJsonFile } from '../../config/json-file.js';
import { parsePlaceConfig } from '../../config/run-config.js';
import { counted } from '../../counted.js';
import { ConfigError } from '../../failures.js';
import { ChartSymbols } from '../../library/symbols/chart-symbols.js';
import { readSymbolFile } from '../../library/symbols/symbol-file.js';
import { openBackend } from '../../worker/open-backend.js';
import { toLines } from '../lines.js';
import { toldCommand } from '../told-command.js';

/** The command `symbols import`: exit 1 for a file of which something is wrong, and nothing written. */
export const importSymbols = toldCommand(async ({ flags, operands }, session, commandLine) => {
  const { env, cwd } = commandLine;
  const config = parsePlaceConfig(flags, env, cwd, { bucket: false });
  const [file] = operands;
  if (file === undefined) throw new ConfigError('name a JSON file of symbols, or - for stdin');
  const read = await readJsonFile(
    file === '-' ? file : resolve(cwd, file),
    commandLine,
    session.signal,
  );
  const name = file === '-' ? 'stdin' : file;
  if (!read.ok) throw new ConfigError(`${name} ${read.what}`);
  const symbols = readSymbolFile(read.value);
  const dryRun = flags.dryRun === true;
  if (!symbols.ok) {
    const words = `nothing written: ${counted(symbols.errors.length, 'error')} in ${name}`;
    return {
      exitCode: 1,
      text: toLines([...symbols.errors, words]),
      json: { ok: false, dryRun, written: 0, errors: symbols.errors, symbols: [] },
    };
  }
  const ids = [...symbols.value.keys()];
  if (!dryRun) {
    const backend = await openBackend(config, 'write', session.logger);
    try {
      await new ChartSymbols(backend.documents).putAll(symbols.value);
    } finally {
      await backend.close();
    }
  }
  const words = `${dryRun ? 'would write' : 'wrote'} ${counted(ids.length, 'symbol')}`;
  return {
    exitCode: 0,
    text: toLines([`${words}: ${ids.join(', ')}`]),
    json: { ok: true, dryRun, written: dryRun ? 0 : ids.length, errors: [], symbols: ids },
  };
});
