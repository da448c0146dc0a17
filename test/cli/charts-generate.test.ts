import { expect, test } from 'vitest';
import { emptyFolder, runCli } from '../support/cli-run.js';

test('--refresh on the command line renders anew what the cache would have', async ({
  onTestFinished,
}) => {
  const cwd = await emptyFolder(onTestFinished);
  const order = ['--symbol', 'BTCUSDT', '--timeframe', '1h'];
  const template = ['--template', 'ctpl_price_ma1226_vol_v1', '--json'];
  const sourceWith = async (...flags: string[]) => {
    const argv = ['charts', 'generate', ...order, ...template, ...flags];
    const { exitCode, stdout, stderr } = await runCli(argv, { cwd });
    expect(exitCode, stderr).toBe(0);
    return JSON.parse(stdout).charts[0].source;
  };
  expect(await sourceWith()).toBe('fixture');
  expect(await sourceWith()).toBe('cache');
  expect(await sourceWith('--refresh')).toBe('fixture');
  expect(await sourceWith('--cache-ttl', '0')).toBe('fixture');
});
