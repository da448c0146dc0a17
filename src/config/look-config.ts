import { resolve } from 'node:path';
import { isRunId } from '../contracts/ids.js';
import { type LoadedAccounts, loadAccounts } from './accounts.js';
import type { GivenFlags } from './options.js';
import { quoted, Source } from './source.js';
import { type PlaceConfig, placeConfig } from './worker-config.js';

/** What `status` was told from outside. */
export interface StatusConfig extends PlaceConfig {
  readonly of: { readonly runId: string } | { readonly flowRunPath: string };
  readonly stepId: string | undefined;
  readonly watch: boolean;
  readonly timeoutMs: number;
}

/** What `usage` was told from outside. */
export interface UsageConfig extends PlaceConfig, Pick<LoadedAccounts, 'accounts' | 'warnings'> {}

/** Throws one `ConfigError` for everything that is wrong. */
export function parseStatusConfig(
  flags: GivenFlags,
  env: NodeJS.ProcessEnv,
  cwd: string,
): StatusConfig {
  const source = new Source(flags, env, cwd);
  const runId = source.of('runId').value;
  const path = source.of('flowRunPath').value;
  if ((runId === undefined) === (path === undefined)) {
    const which = runId === undefined ? 'name a flow run' : 'name one of them, not both';
    source.problems.push(
      `${which}: --run-id <id> for a stored one, or --flow-run-path <file> for that of a file`,
    );
  } else if (runId !== undefined && !isRunId(runId)) {
    source.problems.push(
      `--run-id: ${quoted(runId)} is not a run id (like 20251221-120000_BTCUSDT_demo)`,
    );
  }
  const flowRunPath = path === '-' ? '-' : resolve(cwd, path ?? '');
  // The bucket of a manifest is the one that its own address names.
  const config = {
    ...placeConfig(source, { bucket: false }),
    of: runId === undefined ? { flowRunPath } : { runId },
    stepId: source.of('stepId').value,
    watch: flags.watch === true,
    timeoutMs: source.option('timeout', { fallback: 540, min: 0.001, max: 86_400 }) * 1_000,
  };
  source.throwIfWrong();
  return config;
}

/** Rejects with one `ConfigError` for everything that is wrong. */
export async function parseUsageConfig(
  flags: GivenFlags,
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<UsageConfig> {
  const source = new Source(flags, env, cwd);
  const place = placeConfig(source, { bucket: false });
  const path = source.path('accountsConfigPath');
  const loaded = await loadAccounts(path, env.CHART_IMG_ACCOUNTS_JSON);
  source.problems.push(...loaded.problems);
  source.throwIfWrong();
  return { ...place, accounts: loaded.accounts, warnings: loaded.warnings };
}
