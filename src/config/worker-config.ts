import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Account } from '../contracts/documents.js';
import { ConfigError } from '../failures.js';
import { loadAccounts, NAME_ACCOUNTS } from './accounts.js';
import { type CloudConfig, cloudConfig } from './cloud-config.js';
import { retentionMs } from './library-config.js';
import { type LiveConfig, liveConfig, recordFolder } from './live-config.js';
import type { OptionName } from './options.js';
import { isProduction, quoted, type Source } from './source.js';

export type ChartsApiMode = 'real' | 'mock' | 'record';
export type Backend = 'local' | 'gcp';

/** Where documents and objects are. Paths are absolute. */
export interface PlaceConfig {
  readonly backend: Backend;
  /** `undefined`: the backend is `local`. */
  readonly cloud: CloudConfig | undefined;
  /** Bucket name without `gs://`. */
  readonly bucket: string;
  /** `false`: `bucket` says nothing. */
  readonly touchesObjects: boolean;
  readonly workspace: string;
  readonly templatesDir: string | undefined;
}

/** How old a picture may be that another request of the same kind left behind. */
export interface CacheConfig {
  /** 0: off, for steps: nothing is read, waited for or recorded. */
  readonly ttlMs: number;
  /** Nothing is read; what is rendered is recorded. */
  readonly refresh: boolean;
  /** For how long a recorded picture is kept. */
  readonly retentionMs: number;
}

/** What steps are done with, whoever asks for them: checked once. */
export interface WorkerConfig extends PlaceConfig {
  readonly chartsApiMode: ChartsApiMode;
  /** `undefined`: nobody is called. */
  readonly live: LiveConfig | undefined;
  readonly accounts: readonly Account[];
  readonly fixturesDir: string | undefined;
  readonly concurrency: number;
  /** For a whole step; for all of them, where one command does several. */
  readonly timeoutMs: number;
  readonly leaseTtlMs: number;
  /** IANA name. */
  readonly timezone: string;
  readonly cache: CacheConfig;
  /** Things worth a word that do not stop the run. */
  readonly warnings: readonly string[];
}

/** What is not the same for the command line and the function. */
export interface WorkerDefaults {
  readonly chartsApiMode: ChartsApiMode;
  readonly timeoutSeconds: number;
  readonly cacheTtlMs: number;
}

export const ACCOUNTS_NEEDED = `real mode needs Chart-IMG accounts: ${NAME_ACCOUNTS}`;

const MODES: readonly ChartsApiMode[] = ['mock', 'real', 'record'];
const FIXTURES_HERE = './fixtures/chart-api/chart-img/advanced-chart-v2';

/**
 * Where a command that calls nobody looks and writes. One that touches no object needs no bucket.
 */
export function placeConfig(source: Source, needs: { readonly bucket: boolean }): PlaceConfig {
  const isReal = source.choice('chartsApiMode', MODES, 'mock') === 'real';
  const backend = backendOf(source, isReal);
  return {
    backend,
    cloud: backend === 'gcp' ? cloudConfig(source, needs) : undefined,
    bucket: bucketName(source),
    touchesObjects: needs.bucket,
    workspace: source.path('workspace') ?? resolve(source.cwd, '.worker-chart-export'),
    templatesDir: existing(source, 'templatesDir'),
  };
}

/** Reads it from flags and environment; what is wrong is added to the source's problems. */
export async function workerConfig(
  source: Source,
  defaults: WorkerDefaults,
): Promise<WorkerConfig> {
  const { env, problems } = source;
  const chartsApiMode = source.choice('chartsApiMode', MODES, defaults.chartsApiMode);
  refuseUnwanted(backendOf(source, chartsApiMode === 'real'), chartsApiMode, source);

  const leaseTtl = source.number(env.CHARTS_LEASE_TTL_SECONDS, {
    name: 'CHARTS_LEASE_TTL_SECONDS',
    fallback: 90,
    min: 0.5,
    max: 86_400,
  });
  const timezone = timezoneOf(source);
  const fixturesHere = resolve(source.cwd, FIXTURES_HERE);
  const fixturesDir =
    chartsApiMode === 'record'
      ? recordFolder(source.path('fixturesDir') ?? fixturesHere, problems)
      : (existing(source, 'fixturesDir') ?? ifThere(fixturesHere));
  const accounts = await loadAccounts(
    source.path('accountsConfigPath'),
    env.CHART_IMG_ACCOUNTS_JSON,
  );
  problems.push(...accounts.problems);
  if (chartsApiMode === 'real' && accounts.accounts.length + accounts.problems.length === 0) {
    problems.push(
      source.hasFlags
        ? ACCOUNTS_NEEDED
        : 'Chart-IMG accounts are needed: set CHART_IMG_ACCOUNTS_JSON',
    );
  }
  return {
    ...placeConfig(source, { bucket: true }),
    chartsApiMode,
    live: chartsApiMode === 'mock' ? undefined : liveConfig(source),
    accounts: accounts.accounts,
    fixturesDir,
    concurrency: source.option('concurrency', { fallback: 10, min: 1, max: 64, integer: true }),
    timeoutMs:
      source.option('timeout', { fallback: defaults.timeoutSeconds, min: 0.001, max: 86_400 }) *
      1_000,
    leaseTtlMs: leaseTtl * 1_000,
    timezone,
    cache: {
      ttlMs: source.duration('cacheTtl', defaults.cacheTtlMs),
      refresh: source.isGiven('refresh'),
      retentionMs: retentionMs(source),
    },
    warnings: accounts.warnings,
  };
}

function backendOf(source: Source, isReal: boolean): Backend {
  const goesToCloud = isReal && source.of('chartsBucket').value !== undefined;
  return source.choice('backend', ['local', 'gcp'], goesToCloud ? 'gcp' : 'local');
}

function existing(source: Source, name: OptionName): string | undefined {
  const folder = source.path(name);
  if (folder !== undefined && ifThere(folder) === undefined) {
    source.problems.push(`${source.of(name).name}: ${folder} is not a folder`);
  }
  return folder;
}

/** First, alone: with these nothing else that is wrong matters. */
function refuseUnwanted(backend: Backend, mode: ChartsApiMode, source: Source): void {
  if (mode === 'record' && isProduction(source.env)) {
    throw new ConfigError('record mode is refused in production (TDA_ENV or ENV)');
  }
  if (backend === 'gcp' && mode !== 'real' && !source.of('backend').fromFlag) {
    throw new ConfigError(
      `CHARTS_BACKEND=gcp with ${mode} mode: charts that are not real reach the cloud only by the flag --backend gcp itself`,
    );
  }
}

/** Cloud Storage's naming rules, for names without their own domain. */
function bucketName(source: Source): string {
  const { name, value } = source.of('chartsBucket');
  const bucket = (value ?? 'local').replace(/^gs:\/\//, '').replace(/\/$/, '');
  const isName =
    /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/.test(bucket) &&
    !/^[0-9]+(\.[0-9]+){3}$/.test(bucket) &&
    !bucket.includes('..');
  if (!isName) {
    source.problems.push(
      `${name}: ${quoted(value)} is not a bucket: gs://name with 3 to 63 lower-case letters, digits, - _ .`,
    );
  }
  return bucket;
}

function timezoneOf({ env, problems }: Source): string {
  // Not looked up: Node reads all its time zones for the first, half as long as it takes to start.
  const given = env.CHARTS_DEFAULT_TIMEZONE;
  if (!given) return 'Etc/UTC';
  if (!isTimezone(given)) {
    problems.push(
      `CHARTS_DEFAULT_TIMEZONE: ${quoted(given)} is not an IANA time zone such as Europe/Berlin`,
    );
  }
  return given;
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
