import { resolve } from 'node:path';
import { ConfigError } from '../failures.js';
import { type LoadedAccounts, loadAccounts } from './accounts.js';
import type { GivenFlags } from './options.js';
import { Source } from './source.js';
import {
  ACCOUNTS_NEEDED,
  type PlaceConfig,
  placeConfig,
  type WorkerConfig,
  workerConfig,
} from './worker-config.js';

/** Everything `run-local` was told from outside. Paths are absolute. */
export interface RunConfig extends WorkerConfig {
  /** `-`: stdin. */
  readonly flowRunPath: string;
  readonly stepId: string | undefined;
  readonly out: string | undefined;
  readonly replay: boolean;
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
  if (flowRunPath === undefined) {
    source.problems.push('--flow-run-path is required: name a flow run file, or - for stdin');
  }
  const config: RunConfig = {
    ...(await workerConfig(source, CLI_DEFAULTS)),
    flowRunPath: flowRunPath === undefined || flowRunPath === '-' ? '-' : resolve(cwd, flowRunPath),
    stepId: source.of('stepId').value,
    out: source.path('out'),
    replay: flags.replay === true,
    ignoreDependencies: flags.ignoreDependencies === true,
    dryRun: flags.dryRun === true,
    createFlowRun: flags.createFlowRun === true,
  };
  source.throwIfWrong();
  return config;
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

const CLI_DEFAULTS = { chartsApiMode: 'mock', timeoutSeconds: 540 } as const;
