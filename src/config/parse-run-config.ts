import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigError } from '../failures.js';
import { loadAccounts } from './accounts.js';
import { cloudConfig } from './cloud-config.js';
import { liveConfig, recordFolder } from './live-config.js';
import type { GivenFlags, OptionName } from './options.js';
import type { RunConfig } from './run-config.js';
import { isProduction, quoted, Source } from './source.js';

const FIXTURES_HERE = './fixtures/chart-api/chart-img/advanced-chart-v2';

/**
 * Flags over environment over defaults, everything checked at once. Rejects with one `ConfigError`
 * that names each flag or variable that is wrong, and the remedy.
 */
export async function parseRunConfig(
  flags: GivenFlags,
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<RunConfig> {
  const problems: string[] = [];
  const source = new Source(flags, env, problems);
  const path = (name: OptionName) => {
    const { value } = source.of(name);
    return value === undefined ? undefined : resolve(cwd, value);
  };

  const flowRunPath = source.of('flowRunPath').value;
  if (flowRunPath === undefined) {
    problems.push('--flow-run-path is required: name a flow run file, or - for stdin');
  }
  const chartsApiMode = source.choice('chartsApiMode', ['mock', 'real', 'record'], 'mock');
  const goesToCloud = chartsApiMode === 'real' && source.of('chartsBucket').value !== undefined;
  const backend = source.choice('backend', ['local', 'gcp'], goesToCloud ? 'gcp' : 'local');
  refuseUnwanted(backend, chartsApiMode, source, env);
  if (flags.quiet && flags.verbose) problems.push('--quiet and --verbose exclude each other');

  const leaseTtl = source.number(env.CHARTS_LEASE_TTL_SECONDS, {
    name: 'CHARTS_LEASE_TTL_SECONDS',
    fallback: 90,
    min: 0.5,
    max: 86_400,
  });
  const timezone = env.CHARTS_DEFAULT_TIMEZONE || 'Etc/UTC';
  if (!isTimezone(timezone)) {
    problems.push(
      `CHARTS_DEFAULT_TIMEZONE: ${quoted(timezone)} is not an IANA time zone such as Europe/Berlin`,
    );
  }
  const folders = {
    templatesDir: existing('templatesDir'),
    fixturesDir:
      chartsApiMode === 'record'
        ? recordFolder(path('fixturesDir') ?? resolve(cwd, FIXTURES_HERE), problems)
        : (existing('fixturesDir') ?? ifThere(resolve(cwd, FIXTURES_HERE))),
  };
  const accounts = await loadAccounts(path('accountsConfigPath'), env.CHART_IMG_ACCOUNTS_JSON);
  problems.push(...accounts.problems);
  if (chartsApiMode === 'real' && accounts.accounts.length + accounts.problems.length === 0) {
    problems.push(
      'real mode needs Chart-IMG accounts: name a file with --accounts-config-path, or set CHART_IMG_ACCOUNTS_JSON',
    );
  }

  const config: RunConfig = {
    flowRunPath: flowRunPath === undefined || flowRunPath === '-' ? '-' : resolve(cwd, flowRunPath),
    stepId: source.of('stepId').value,
    chartsApiMode,
    live: chartsApiMode === 'mock' ? undefined : liveConfig(source, env, problems),
    backend,
    cloud: backend === 'gcp' ? cloudConfig(source, flags, env, problems) : undefined,
    bucket: bucketName(source, problems),
    accounts: accounts.accounts,
    workspace: path('workspace') ?? resolve(cwd, '.worker-chart-export'),
    ...folders,
    out: path('out'),
    replay: flags.replay === true,
    ignoreDependencies: flags.ignoreDependencies === true,
    dryRun: flags.dryRun === true,
    concurrency: source.option('concurrency', { fallback: 10, min: 1, max: 64, integer: true }),
    timeoutMs: source.option('timeout', { fallback: 540, min: 0.001, max: 86_400 }) * 1_000,
    leaseTtlMs: leaseTtl * 1_000,
    timezone,
    warnings: accounts.warnings,
  };
  if (problems.length > 0) throw new ConfigError(problems.join('; '));
  return config;

  function existing(name: 'templatesDir' | 'fixturesDir'): string | undefined {
    const folder = path(name);
    if (folder !== undefined && ifThere(folder) === undefined) {
      problems.push(`${source.of(name).name}: ${folder} is not a folder`);
    }
    return folder;
  }
}

/** First, alone: with these nothing else that is wrong matters. */
function refuseUnwanted(
  backend: string,
  mode: string,
  source: Source,
  env: NodeJS.ProcessEnv,
): void {
  if (mode === 'record' && isProduction(env)) {
    throw new ConfigError('record mode is refused in production (TDA_ENV or ENV)');
  }
  if (backend === 'gcp' && mode !== 'real' && !source.of('backend').fromFlag) {
    throw new ConfigError(
      `CHARTS_BACKEND=gcp with ${mode} mode: charts that are not real reach the cloud only by the flag --backend gcp itself`,
    );
  }
}

/** Cloud Storage's naming rules, for names without their own domain. */
function bucketName(source: Source, problems: string[]): string {
  const { name, value } = source.of('chartsBucket');
  const bucket = (value ?? 'local').replace(/^gs:\/\//, '').replace(/\/$/, '');
  const isName =
    /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/.test(bucket) &&
    !/^[0-9]+(\.[0-9]+){3}$/.test(bucket) &&
    !bucket.includes('..');
  if (!isName) {
    problems.push(
      `${name}: ${quoted(value)} is not a bucket: gs://name with 3 to 63 lower-case letters, digits, - _ .`,
    );
  }
  return bucket;
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}

function ifThere(folder: string): string | undefined {
  return existsSync(folder) && statSync(folder).isDirectory() ? folder : undefined;
}
