import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { chartEndpoint, proxyFor } from '../chart-img/live/endpoint.js';
import { ConfigError } from '../failures.js';
import { loadAccounts } from './accounts.js';
import { type GivenFlags, OPTIONS, type OptionName } from './options.js';
import type { CloudConfig, LiveConfig, RunConfig } from './run-config.js';

const FIXTURES_HERE = './fixtures/chart-api/chart-img/advanced-chart-v2';
const PRODUCTION = /^prod(uction)?$/i;

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

interface Bounds {
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
  readonly integer?: boolean;
}

/** Where each value comes from; an empty variable, or flag, is an absent one. */
class Source {
  readonly #flags: GivenFlags;
  readonly #env: NodeJS.ProcessEnv;
  readonly #problems: string[];

  constructor(flags: GivenFlags, env: NodeJS.ProcessEnv, problems: string[]) {
    this.#flags = flags;
    this.#env = env;
    this.#problems = problems;
  }

  /** The value, and the flag or variable that it came from. */
  of(option: OptionName): { name: string; value: string | undefined; fromFlag: boolean } {
    const row = OPTIONS.find(({ name }) => name === option);
    const flag = this.#flags[option];
    const flagName = row?.flag.split(' ')[0] ?? option;
    if (typeof flag === 'string' && flag !== '') {
      return { name: flagName, value: flag, fromFlag: true };
    }
    // The accounts' twin holds JSON, not a path.
    const env = option === 'accountsConfigPath' ? undefined : row?.env;
    return { name: env ?? flagName, value: (env && this.#env[env]) || undefined, fromFlag: false };
  }

  choice<T extends string>(option: OptionName, allowed: readonly T[], fallback: T): T {
    const { name, value } = this.of(option);
    const found = value === undefined ? fallback : allowed.find((choice) => choice === value);
    if (found === undefined) {
      this.#problems.push(`${name}: ${quoted(value)} is not one of ${allowed.join(', ')}`);
    }
    return found ?? fallback;
  }

  option(option: OptionName, bounds: Bounds): number {
    const { name, value } = this.of(option);
    return this.number(value, { name, ...bounds });
  }

  number(value: string | undefined, { name, ...bounds }: Bounds & { name: string }): number {
    if (value === undefined || value === '') return bounds.fallback;
    const number = /^[0-9]+(\.[0-9]+)?$/.test(value) ? Number(value) : Number.NaN;
    const fits = number >= bounds.min && number <= bounds.max;
    if (fits && (!bounds.integer || Number.isInteger(number))) return number;
    const kind = bounds.integer ? 'a whole number' : 'a number';
    this.#problems.push(
      `${name}: ${quoted(value)} is not ${kind} from ${bounds.min} to ${bounds.max}`,
    );
    return bounds.fallback;
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

function liveConfig(source: Source, env: NodeJS.ProcessEnv, problems: string[]): LiveConfig {
  const baseUrl = env.CHART_IMG_BASE_URL || 'https://api.chart-img.com';
  const proxy = {
    httpsProxy: env.HTTPS_PROXY || env.https_proxy || undefined,
    noProxy: env.NO_PROXY || env.no_proxy || undefined,
  };
  try {
    proxyFor(chartEndpoint(baseUrl), proxy);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(error.message);
  }
  const timeout = source.number(env.CHART_IMG_TIMEOUT_SECONDS, {
    name: 'CHART_IMG_TIMEOUT_SECONDS',
    fallback: 35,
    min: 0.1,
    max: 600,
  });
  return { baseUrl, timeoutMs: timeout * 1_000, proxy };
}

/** Recordings never go into the installed package: the next install would take them away. */
function recordFolder(folder: string, problems: string[]): string {
  if (/[\\/]node_modules[\\/]/.test(`${folder}/`)) {
    problems.push(
      `--fixtures-dir: ${folder} is in an installed package; record into a folder of yours`,
    );
  }
  return folder;
}

function isProduction(env: NodeJS.ProcessEnv): boolean {
  return [env.TDA_ENV, env.ENV].some((name) => PRODUCTION.test(name ?? ''));
}

function cloudConfig(
  source: Source,
  flags: GivenFlags,
  env: NodeJS.ProcessEnv,
  problems: string[],
): CloudConfig {
  const check = (name: string, value: string | undefined, form: RegExp, like: string) => {
    if (value !== undefined && !form.test(value)) {
      problems.push(`${name}: ${quoted(value)} is not ${like}`);
    }
    return value;
  };
  if (source.of('chartsBucket').value === undefined) {
    problems.push('--backend gcp needs a bucket: name it with --charts-bucket or CHARTS_BUCKET');
  }
  const project = source.of('project');
  const database = source.of('database');
  // Empty, the Storage client would take it for an address.
  const storage = env.STORAGE_EMULATOR_HOST;
  const cloud: CloudConfig = {
    projectId: check(project.name, project.value, /^[a-z][a-z0-9:.-]{2,62}$/, 'a project id'),
    database:
      check(
        database.name,
        database.value,
        /^(\(default\)|[a-z][a-z0-9-]{2,62})$/,
        'a database id',
      ) ?? '(default)',
    firestoreEmulatorHost: check(
      'FIRESTORE_EMULATOR_HOST',
      env.FIRESTORE_EMULATOR_HOST || undefined,
      /^[^\s/]+:[0-9]+$/,
      'host:port',
    ),
    storageEmulatorUrl: check(
      'STORAGE_EMULATOR_HOST',
      storage,
      /^https?:\/\/[^\s/]+$/,
      'like http://host:port; unset it to reach Cloud Storage',
    ),
    createFlowRun: flags.createFlowRun === true,
  };
  const { firestoreEmulatorHost, storageEmulatorUrl } = cloud;
  if (isProduction(env) && (firestoreEmulatorHost ?? storageEmulatorUrl) !== undefined) {
    problems.push(
      'FIRESTORE_EMULATOR_HOST and STORAGE_EMULATOR_HOST are refused in production (TDA_ENV or ENV)',
    );
  }
  return cloud;
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

function quoted(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing';
}
