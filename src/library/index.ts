import { type GivenFlags, type OptionName, optionRow } from '../config/options.js';
import { ON_DEMAND_TTL_MS } from '../config/order-config.js';
import { Source } from '../config/source.js';
import { workerConfig } from '../config/worker-config.js';
import type { Account } from '../contracts/documents.js';
import { ConfigError } from '../failures.js';
import { type LogEvent, Logger } from '../log/logger.js';
import { redactJson, redactorFor } from '../log/redact.js';
import { openWorker } from '../worker/worker.js';
import type { Library } from './library.js';
import { libraryOn } from './library-on.js';

export type { Account } from '../contracts/documents.js';
export type { LogEvent } from '../log/logger.js';
export type {
  ChartOrder,
  Generated,
  Library,
  LibraryError,
  LibraryErrorCode,
  TriggerType,
} from './library.js';
export type { Snapshot } from './snapshots/snapshot.js';
export type { UsageView } from './usage-view.js';

/** Where the library is and what it may spend. Relative paths start at `cwd`. */
export interface LibraryOptions {
  /** `real` calls Chart-IMG, `mock` answers from fixtures, `record` does both. Absent: `real`. */
  readonly mode?: 'real' | 'mock' | 'record';
  /** Absent: `gcp` where a bucket is named and the mode is real, else `local`. */
  readonly backend?: 'local' | 'gcp';
  /** Folder of the local backend. Absent: `.worker-chart-export`. */
  readonly workspace?: string;
  /** `gs://name` or `name`. */
  readonly bucket?: string;
  readonly project?: string;
  readonly database?: string;
  /** Chart-IMG accounts; needed in real mode, here or as a file. */
  readonly accounts?: readonly Account[];
  readonly accountsConfigPath?: string;
  readonly templatesDir?: string;
  readonly fixturesDir?: string;
  /** How old a picture may be: `30s`, `5m`, `1h`; `0`: none is taken from the cache. Absent: `5m`. */
  readonly cacheTtl?: string;
  /** Charts rendered at the same time, 1 to 64. Absent: 10. */
  readonly concurrency?: number;
  /** For one order. Absent: 540. */
  readonly timeoutSeconds?: number;
  /** The variables of the README; the process's own are not looked at. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Absent: the process's. */
  readonly cwd?: string;
  /** Hears every event; no key is ever in one. */
  readonly log?: (event: LogEvent) => void;
}

/**
 * Opens the chart library for use in a program: the same planner, accounts, quota ledger, cache and
 * history as the command line's. Several may be open at once, in any number of processes. Rejects
 * with an error whose `name` is `ConfigError` for what the caller can mend, `StoreUnavailable` for a
 * store that cannot be used.
 */
export async function openLibrary(options: LibraryOptions = {}): Promise<Library> {
  try {
    return await opened(options);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(inWordsOfOptions(error.message));
  }
}

async function opened(options: LibraryOptions): Promise<Library> {
  const unknown = Object.keys(options).filter((name) => !OPTION_NAMES.has(name));
  if (unknown.length > 0) {
    throw new ConfigError(
      `openLibrary knows no ${unknown.join(', ')}; its options are ${[...OPTION_NAMES].join(', ')}`,
    );
  }
  const { accounts, env = {}, cwd = process.cwd(), log = () => undefined } = options;
  const json = accounts && { CHART_IMG_ACCOUNTS_JSON: JSON.stringify(accounts) };
  const source = new Source(flagsOf(options), { ...env, ...json }, cwd);
  const config = await workerConfig(source, {
    chartsApiMode: 'real',
    timeoutSeconds: 540,
    cacheTtlMs: ON_DEMAND_TTL_MS,
  });
  source.throwIfWrong();
  const redact = redactorFor(config.accounts.map(({ apiKey }) => apiKey));
  const logger = new Logger((event) => log(redactJson(event, redact) as LogEvent));
  for (const warning of config.warnings) logger.warn('config_warning', warning);
  return libraryOn(await openWorker(config, 'write', logger), config, logger);
}

/** The flag of the command line that each of them is. */
const FLAG_OF = {
  mode: 'chartsApiMode',
  backend: 'backend',
  workspace: 'workspace',
  bucket: 'chartsBucket',
  project: 'project',
  database: 'database',
  accountsConfigPath: 'accountsConfigPath',
  templatesDir: 'templatesDir',
  fixturesDir: 'fixturesDir',
  cacheTtl: 'cacheTtl',
  concurrency: 'concurrency',
  timeoutSeconds: 'timeout',
} as const satisfies Partial<Record<keyof LibraryOptions, OptionName>>;

const OPTION_NAMES: ReadonlySet<string> = new Set([
  ...Object.keys(FLAG_OF),
  ...(['accounts', 'env', 'cwd', 'log'] satisfies (keyof LibraryOptions)[]),
]);

function flagsOf(options: LibraryOptions): GivenFlags {
  const given = Object.entries(FLAG_OF).flatMap(([name, flag]) => {
    const value = options[name as keyof typeof FLAG_OF];
    return value === undefined ? [] : [[flag, String(value)]];
  });
  return Object.fromEntries(given);
}

/** What is wrong is told of flags and variables, which a program has not given. */
function inWordsOfOptions(message: string): string {
  const words = Object.entries(FLAG_OF).map(
    ([name, flag]) => [optionRow(flag).flag.split(' ')[0] ?? flag, name] as const,
  );
  return [...words, ['CHART_IMG_ACCOUNTS_JSON', 'accounts'] as const].reduce(
    (told, [flag, name]) => told.replaceAll(flag, name),
    message,
  );
}
