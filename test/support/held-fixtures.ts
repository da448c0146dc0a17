import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundled } from '../../src/config/bundled.js';
import { makePipes } from './pipes.js';

/** Charts of the sample flow run that a mock run asks for and does not get. */
export interface HeldFixtures {
  /** Lets a program find them. */
  readonly env: { readonly CHARTS_FIXTURES_DIR: string };
  /** They arrive, where a program waits for them; else that is waited for. */
  letGo(): Promise<void>;
}

/** Their fixtures are pipes that nobody writes to, in a folder below `cwd`. */
export async function heldFixtures(cwd: string, charts: readonly string[]): Promise<HeldFixtures> {
  const folder = await mkdtemp(join(cwd, 'held-'));
  const names = charts.map((chart) => `BINANCE_BTCUSDT__1h__${chart}.png`);
  await makePipes(names.map((name) => join(folder, name)));
  return {
    env: { CHARTS_FIXTURES_DIR: folder },
    letGo: async () => {
      for (const name of names) {
        await writeFile(join(folder, name), await readFile(join(bundled.fixtures, name)));
      }
    },
  };
}
