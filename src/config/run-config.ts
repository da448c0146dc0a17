import { resolve } from 'node:path';
import { isChartTemplateId } from '../contracts/ids.js';
import { ConfigError } from '../failures.js';
import { type LoadedAccounts, loadAccounts } from './accounts.js';
import type { GivenFlags } from './options.js';
import { quoted, Source } from './source.js';
import {
  ACCOUNTS_NEEDED,
  type PlaceConfig,
  placeConfig,
  type WorkerConfig,
  workerConfig,
} from './worker-config.js';

/** Everything `run-local` was told from outside. Paths are absolute. */
export interface RunConfig extends WorkerConfig {
  /** `-`: stdin; `undefined`: the stored flow run `runId` is the input. */
  readonly flowRunPath: string | undefined;
  readonly runId: string | undefined;
  readonly stepId: string | undefined;
  readonly out: string | undefined;
  /** HTML file. */
  readonly report: string | undefined;
  readonly replay: boolean;
  /** Chart template ids, or those that failed; `undefined`: all. */
  readonly only: readonly string[] | 'failed' | undefined;
  readonly scratch: boolean;
  /** Nobody is asked before a real replay. */
  readonly yes: boolean;
  readonly ignoreDependencies: boolean;
  readonly dryRun: boolean;
  readonly createFlowRun: boolean;
}

/**
 * Flags over environment over defaults, everything checked at once. Rejects with one `ConfigError`
 * that names each flag or variable that is wrong, and the remedy.
 */
export async function parseRunConfig(
  flags: GivenFlags,
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<RunConfig> {
  const source = new Source(flags, env, cwd);
  const flowRunPath = source.of('flowRunPath').value;
  const runId = source.of('runId').value;
  if (flowRunPath === undefined && runId === undefined) {
    source.problems.push(
      '--flow-run-path is required: name a flow run file, or - for stdin (or a stored run with --run-id)',
    );
  }
  if (flowRunPath !== undefined && runId !== undefined) {
    source.problems.push('--flow-run-path and --run-id exclude each other');
  }
  const only = onlyOf(source, flags);
  if (flags.scratch && (flags.replay || only !== undefined || flags.createFlowRun)) {
    source.problems.push(
      '--scratch goes without --replay, --only, --only-failed and --create-flow-run: nothing is replaced, all is rendered',
    );
  }
  const worker = await workerConfig(source, CLI_DEFAULTS);
  // What a trial leaves under scratch/ is nobody else's.
  const cache = flags.scratch ? { ...worker.cache, ttlMs: 0 } : worker.cache;
  const config: RunConfig = {
    ...worker,
    cache,
    flowRunPath:
      flowRunPath === undefined || flowRunPath === '-' ? flowRunPath : resolve(cwd, flowRunPath),
    runId,
    stepId: source.of('stepId').value,
    out: source.path('out'),
    report: source.path('report'),
    replay: flags.replay === true,
    only,
    scratch: flags.scratch === true,
    yes: flags.yes === true,
    ignoreDependencies: flags.ignoreDependencies === true,
    dryRun: flags.dryRun === true,
    createFlowRun: flags.createFlowRun === true,
  };
  source.throwIfWrong();
  return config;
}

function onlyOf(source: Source, flags: GivenFlags): RunConfig['only'] {
  const { value } = source.of('only');
  if (value === undefined && !flags.onlyFailed) return undefined;
  if (!flags.replay) source.problems.push('--only and --only-failed belong to --replay');
  if (value === undefined) return 'failed';
  if (flags.onlyFailed) source.problems.push('--only and --only-failed exclude each other');
  const ids = [...new Set(value.split(',').map((id) => id.trim()))];
  const wrong = ids.filter((id) => !isChartTemplateId(id));
  if (wrong.length > 0) {
    const names = wrong.map((id) => quoted(id)).join(', ');
    source.problems.push(`--only: ${names} is no chart template id; write ids with commas between`);
  }
  return ids;
}

/** For a command that does steps, but not of one given file. Rejects as `parseRunConfig` does. */
export async function parseWorkerConfig(
  flags: GivenFlags,
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<WorkerConfig> {
  const source = new Source(flags, env, cwd);
  const config = await workerConfig(source, CLI_DEFAULTS);
  source.throwIfWrong();
  return config;
}

/** What is to be looked into before anything runs: as much as can be understood. */
export interface Inspected {
  /** Of what is wrong, the default. */
  readonly config: PlaceConfig & Partial<WorkerConfig>;
  /** Whether a bucket was named. */
  readonly isBucketGiven: boolean;
  readonly accountsFile: string | undefined;
  /** Google's own variable for a key file. */
  readonly credentialsFile: string | undefined;
  readonly accounts: LoadedAccounts;
  /** All that is wrong, but for the accounts. */
  readonly problems: readonly string[];
}

/** For a command that looks for what is wrong; never rejects for it. */
export async function inspectConfig(
  flags: GivenFlags,
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<Inspected> {
  const source = new Source(flags, env, cwd);
  const accountsFile = source.path('accountsConfigPath');
  const accounts = await loadAccounts(accountsFile, env.CHART_IMG_ACCOUNTS_JSON);
  const config = await workerConfig(source, CLI_DEFAULTS).catch((error: unknown) => {
    if (!(error instanceof ConfigError)) throw error;
    source.problems.push(error.message);
    return placeConfig(source, { bucket: true });
  });
  const needed = accounts.accounts.length > 0 ? [] : [ACCOUNTS_NEEDED];
  const ofAccounts = new Set([...accounts.problems, ...needed]);
  return {
    config,
    isBucketGiven: source.of('chartsBucket').value !== undefined,
    accountsFile,
    credentialsFile: env.GOOGLE_APPLICATION_CREDENTIALS || undefined,
    accounts,
    problems: [...new Set(source.problems)].filter((problem) => !ofAccounts.has(problem)),
  };
}

/** For a command that calls nobody. Throws as `parseRunConfig` rejects. */
export function parsePlaceConfig(
  flags: GivenFlags,
  env: NodeJS.ProcessEnv,
  cwd: string,
  needs: { readonly bucket: boolean },
): PlaceConfig {
  const source = new Source(flags, env, cwd);
  const config = placeConfig(source, needs);
  source.throwIfWrong();
  return config;
}

export const CLI_DEFAULTS = { chartsApiMode: 'mock', timeoutSeconds: 540, cacheTtlMs: 0 } as const;
