/** One option. The program, its help, the parser and the README are made from this. */
export interface OptionRow {
  /** As commander writes it: `--step-id <id>`. */
  readonly flag: string;
  /** Where commander puts its value. */
  readonly name: OptionName;
  readonly group: 'What to do' | 'Where' | 'Inputs' | 'Limits' | 'Output';
  readonly env?: string;
  /** Given several times it is as if all were given once, with commas between. */
  readonly isList?: true;
  /** In words. */
  readonly fallback?: string;
  readonly help: string;
}

export type OptionName =
  | 'flowRunPath'
  | 'runId'
  | 'stepId'
  | 'replay'
  | 'only'
  | 'onlyFailed'
  | 'scratch'
  | 'yes'
  | 'createFlowRun'
  | 'ignoreDependencies'
  | 'dryRun'
  | 'watch'
  | 'symbol'
  | 'timeframe'
  | 'template'
  | 'since'
  | 'limit'
  | 'cursor'
  | 'purge'
  | 'force'
  | 'name'
  | 'aliases'
  | 'tradingViewSymbol'
  | 'assetClass'
  | 'timeframes'
  | 'indicators'
  | 'trigger'
  | 'generatedBy'
  | 'theme'
  | 'width'
  | 'height'
  | 'chartsApiMode'
  | 'backend'
  | 'workspace'
  | 'chartsBucket'
  | 'project'
  | 'database'
  | 'out'
  | 'report'
  | 'templatesDir'
  | 'fixturesDir'
  | 'accountsConfigPath'
  | 'concurrency'
  | 'timeout'
  | 'cacheTtl'
  | 'refresh'
  | 'port'
  | 'host'
  | 'outputSummary'
  | 'eventPath'
  | 'eventBody'
  | 'json'
  | 'ci'
  | 'write'
  | 'logFormat'
  | 'quiet'
  | 'verbose';

/** The flags as given, unchecked; absent ones are absent. */
export type GivenFlags = Partial<Readonly<Record<OptionName, string | boolean>>>;

export const OPTIONS: readonly OptionRow[] = [
  {
    flag: '--flow-run-path <file>',
    name: 'flowRunPath',
    group: 'What to do',
    help: 'the flow run, a JSON file; `-` reads it from stdin',
  },
  {
    flag: '--run-id <id>',
    name: 'runId',
    group: 'What to do',
    help: 'the flow run’s id: the stored document is the input',
  },
  {
    flag: '--step-id <id>',
    name: 'stepId',
    group: 'What to do',
    fallback: 'the first eligible one; for status every one',
    help: 'the CHART_EXPORT step',
  },
  {
    flag: '--event-path <file>',
    name: 'eventPath',
    group: 'What to do',
    help: 'the event: a CloudEvent as JSON, or the headers of a binary one as JSON (required)',
  },
  {
    flag: '--event-body <file>',
    name: 'eventBody',
    group: 'What to do',
    help: 'the body of a binary event; what stands in it is not looked at',
  },
  {
    flag: '--charts-api-mode <mode>',
    name: 'chartsApiMode',
    group: 'What to do',
    env: 'CHARTS_API_MODE',
    fallback: 'mock',
    help: 'mock answers from fixtures, without network; real calls Chart-IMG; record replays --fixtures-dir and saves what it lacks',
  },
  {
    flag: '--replay',
    name: 'replay',
    group: 'What to do',
    help: 'do a finished or abandoned step again; the old manifest is kept beside the new one',
  },
  {
    flag: '--ignore-dependencies',
    name: 'ignoreDependencies',
    group: 'What to do',
    help: 'do the step although steps it depends on are not SUCCEEDED',
  },
  {
    flag: '--only <ids>',
    name: 'only',
    group: 'What to do',
    help: 'with --replay: render these chart templates alone, with commas between; the rest stays as the last manifest has it',
  },
  {
    flag: '--only-failed',
    name: 'onlyFailed',
    group: 'What to do',
    help: 'with --replay: render what is not among the last manifest’s items',
  },
  {
    flag: '--scratch',
    name: 'scratch',
    group: 'What to do',
    help: 'do the step for a look: objects go under scratch/, the flow run is not touched, quota is counted',
  },
  {
    flag: '--yes',
    name: 'yes',
    group: 'What to do',
    help: 'do it without asking',
  },
  {
    flag: '--create-flow-run',
    name: 'createFlowRun',
    group: 'What to do',
    help: 'gcp: create the flow run from the file where there is none; one that is there is used as it is',
  },
  {
    flag: '--dry-run',
    name: 'dryRun',
    group: 'What to do',
    help: 'say what would be done; write nothing',
  },
  {
    flag: '--write',
    name: 'write',
    group: 'What to do',
    help: 'gcp: also put a probe object into the bucket, and delete it',
  },
  {
    flag: '--watch',
    name: 'watch',
    group: 'What to do',
    help: 'look again until every step shown is final, or --timeout is over',
  },
  {
    flag: '--symbol <symbol>',
    name: 'symbol',
    group: 'What to do',
    isList: true,
    help: 'a symbol, by its id, its name or another name that it has; charts generate takes several, with commas between or by repeating the flag',
  },
  {
    flag: '--timeframe <interval>',
    name: 'timeframe',
    group: 'What to do',
    isList: true,
    help: 'an interval of Chart-IMG: 15m, 4h, 1D; several as for --symbol',
  },
  {
    flag: '--template <id>',
    name: 'template',
    group: 'What to do',
    help: 'a chart template',
  },
  {
    flag: '--since <time>',
    name: 'since',
    group: 'What to do',
    help: 'charts from then on: 2026-01-31, 2026-01-31T12:00:00Z, or 90m, 12h, 7d ago',
  },
  {
    flag: '--purge',
    name: 'purge',
    group: 'What to do',
    help: 'also delete the documents of the charts whose pictures are gone',
  },
  {
    flag: '--force',
    name: 'force',
    group: 'What to do',
    help: 'also a picture that a manifest still names',
  },
  {
    flag: '--name <text>',
    name: 'name',
    group: 'What to do',
    fallback: 'the symbol’s id',
    help: 'the symbol’s name for people',
  },
  {
    flag: '--aliases <names>',
    name: 'aliases',
    group: 'What to do',
    help: 'other names that the symbol is asked for by, with commas between; none: there are none',
  },
  {
    flag: '--trading-view-symbol <symbol>',
    name: 'tradingViewSymbol',
    group: 'What to do',
    help: 'what is drawn: XETR:DAX; needed for a new symbol',
  },
  {
    flag: '--asset-class <class>',
    name: 'assetClass',
    group: 'What to do',
    help: 'index, forex, crypto, stock or commodity; needed for a new symbol',
  },
  {
    flag: '--timeframes <intervals>',
    name: 'timeframes',
    group: 'What to do',
    fallback: '5m,15m,30m,1h,4h,1D,1W,1M',
    help: 'those that the symbol may be drawn in, with commas between',
  },
  {
    flag: '--indicators <names>',
    name: 'indicators',
    group: 'What to do',
    fallback: 'those of the symbol, else of its asset class',
    help: 'what is drawn, with commas between: EMA_20 EMA_50 EMA_200 RSI Volume MACD BB ATR; of symbols set, default forgets the symbol’s own',
  },
  {
    flag: '--trigger <type>',
    name: 'trigger',
    group: 'What to do',
    fallback: 'manual',
    help: 'what the chart is for: manual, report, setup, analysis, monitoring, alert or step',
  },
  {
    flag: '--generated-by <text>',
    name: 'generatedBy',
    group: 'What to do',
    help: 'who asks, in words that the chart’s document keeps',
  },
  {
    flag: '--theme <theme>',
    name: 'theme',
    group: 'What to do',
    fallback: 'the template’s, else light',
    help: 'light or dark',
  },
  {
    flag: '--width <pixels>',
    name: 'width',
    group: 'What to do',
    fallback: 'the template’s, else 1920, cut to what the account’s plan draws',
    help: 'of the picture, 400 to 2048',
  },
  {
    flag: '--height <pixels>',
    name: 'height',
    group: 'What to do',
    fallback: 'the template’s, else 1200, cut likewise',
    help: 'of the picture, 300 to 1920',
  },
  {
    flag: '--backend <backend>',
    name: 'backend',
    group: 'Where',
    env: 'CHARTS_BACKEND',
    fallback: 'local; gcp when a bucket is named and the mode is real',
    help: 'local keeps documents and objects in the workspace, gcp in Firestore and Cloud Storage',
  },
  {
    flag: '--workspace <dir>',
    name: 'workspace',
    group: 'Where',
    env: 'WORKER_CHART_EXPORT_WORKSPACE',
    fallback: '.worker-chart-export',
    help: 'folder of the local backend',
  },
  {
    flag: '--charts-bucket <bucket>',
    name: 'chartsBucket',
    group: 'Where',
    env: 'CHARTS_BUCKET',
    fallback: 'gs://local; required for gcp',
    help: 'bucket for PNGs and manifest, as gs://name or name',
  },
  {
    flag: '--project <id>',
    name: 'project',
    group: 'Where',
    env: 'GOOGLE_CLOUD_PROJECT',
    fallback: 'the credentials’ own',
    help: 'gcp: Google Cloud project',
  },
  {
    flag: '--database <id>',
    name: 'database',
    group: 'Where',
    env: 'FIRESTORE_DB',
    fallback: '(default)',
    help: 'gcp: Firestore database',
  },
  {
    flag: '--out <path>',
    name: 'out',
    group: 'Where',
    help: 'run-local: a folder, where the PNGs are copied to under their plain names; charts: the file that the picture is written to, or of charts generate a folder for several',
  },
  {
    flag: '--report <file>',
    name: 'report',
    group: 'Where',
    help: 'also write the charts as one HTML page',
  },
  {
    flag: '--port <port>',
    name: 'port',
    group: 'Where',
    env: 'CHARTS_API_PORT',
    fallback: '8080',
    help: 'that serve listens on; 0 takes any that is free',
  },
  {
    flag: '--host <address>',
    name: 'host',
    group: 'Where',
    env: 'CHARTS_API_HOST',
    fallback: '127.0.0.1',
    help: 'that serve listens on; one that others reach, as 0.0.0.0, needs CHARTS_API_TOKEN',
  },
  {
    flag: '--templates-dir <dir>',
    name: 'templatesDir',
    group: 'Inputs',
    env: 'CHARTS_TEMPLATES_DIR',
    fallback: 'the bundled set alone (on gcp: none)',
    help: 'chart templates as <id>.json, looked at after the store’s own and before the bundled set',
  },
  {
    flag: '--fixtures-dir <dir>',
    name: 'fixturesDir',
    group: 'Inputs',
    env: 'CHARTS_FIXTURES_DIR',
    fallback: './fixtures/chart-api/chart-img/advanced-chart-v2 where it exists',
    help: 'recorded answers: mock looks here before the bundled set, record reads and writes here alone',
  },
  {
    flag: '--accounts-config-path <file>',
    name: 'accountsConfigPath',
    group: 'Inputs',
    env: 'CHART_IMG_ACCOUNTS_JSON',
    fallback: 'none, which mock mode allows',
    help: 'Chart-IMG accounts, a JSON file (the variable holds the JSON itself)',
  },
  {
    flag: '--concurrency <n>',
    name: 'concurrency',
    group: 'Limits',
    env: 'CHARTS_CONCURRENCY',
    fallback: '10',
    help: 'charts rendered at the same time, 1 to 64',
  },
  {
    flag: '--timeout <seconds>',
    name: 'timeout',
    group: 'Limits',
    env: 'CHARTS_TIMEOUT_SECONDS',
    fallback: '540',
    help: 'for the whole command, of serve for each request; charts not there by then fail, further steps are left for the next',
  },
  {
    flag: '--cache-ttl <duration>',
    name: 'cacheTtl',
    group: 'Limits',
    env: 'CHARTS_CACHE_TTL',
    fallback: '0, off; 5m for charts generate and serve',
    help: 'take a picture of the same request that is younger than this, 30s, 5m or 1h, instead of a call',
  },
  {
    flag: '--refresh',
    name: 'refresh',
    group: 'Limits',
    help: 'render although the cache holds a picture; the new one takes its place',
  },
  {
    flag: '--limit <n>',
    name: 'limit',
    group: 'Limits',
    fallback: '20',
    help: 'so many charts at most, 1 to 1000',
  },
  {
    flag: '--cursor <id>',
    name: 'cursor',
    group: 'Limits',
    help: 'go on after this one: the next that the page before named',
  },
  {
    flag: '--output-summary <format>',
    name: 'outputSummary',
    group: 'Output',
    fallback: 'text',
    help: 'what stdout gets: none, text or json (one object on one line)',
  },
  {
    flag: '--json',
    name: 'json',
    group: 'Output',
    help: 'one JSON object on one line instead of words',
  },
  {
    flag: '--ci <system>',
    name: 'ci',
    group: 'Output',
    fallback: 'github where GITHUB_ACTIONS is true, else none',
    help: 'github: failures as annotations on stderr, and a table in $GITHUB_STEP_SUMMARY; none: neither',
  },
  {
    flag: '--log-format <format>',
    name: 'logFormat',
    group: 'Output',
    fallback: 'auto',
    help: 'what stderr gets: pretty, json, or auto: pretty on a terminal, json elsewhere',
  },
  { flag: '--quiet', name: 'quiet', group: 'Output', help: 'only warnings and errors on stderr' },
  { flag: '--verbose', name: 'verbose', group: 'Output', help: 'every call on stderr' },
];

export function optionRow(option: OptionName): OptionRow {
  const row = OPTIONS.find(({ name }) => name === option);
  if (!row) throw new Error(`there is no row for ${option}`);
  return row;
}

/** Settings that have no flag. */
export const ENV_ALONE: readonly { name: string; fallback?: string; help: string }[] = [
  {
    name: 'CHARTS_API_TOKEN',
    help: 'what requests to serve have to show, but for health; at least 16 characters',
  },
  {
    name: 'CHARTS_API_REQUESTS_PER_MINUTE',
    fallback: '600',
    help: 'that serve answers from one address',
  },
  {
    name: 'CHARTS_DEFAULT_TIMEZONE',
    fallback: 'Etc/UTC',
    help: 'IANA time zone of every chart',
  },
  {
    name: 'CHARTS_LEASE_TTL_SECONDS',
    fallback: '90',
    help: 'silence after which a worker counts as dead, fractions allowed',
  },
  {
    name: 'CHARTS_RETENTION_DAYS',
    fallback: '60',
    help: 'for how long the chart library keeps a picture',
  },
  {
    name: 'CHART_IMG_BASE_URL',
    fallback: 'https://api.chart-img.com',
    help: 'where Chart-IMG is: https, or http on this machine',
  },
  {
    name: 'CHART_IMG_TIMEOUT_SECONDS',
    fallback: '35',
    help: 'for one call',
  },
  {
    name: 'HTTPS_PROXY',
    help: 'proxy for Chart-IMG; NO_PROXY names hosts that are reached without it',
  },
  {
    name: 'FIRESTORE_EMULATOR_HOST',
    help: 'gcp: host:port of a Firestore emulator; refused in production',
  },
  {
    name: 'STORAGE_EMULATOR_HOST',
    help: 'gcp: http://host:port of a Cloud Storage emulator; refused in production',
  },
  {
    name: 'TDA_ENV',
    fallback: 'ENV, else local',
    help: 'names the environment in every log line; prod or production is production',
  },
  {
    name: 'LOG_LEVEL',
    fallback: 'info',
    help: 'debug, info, warning or error; --quiet and --verbose win',
  },
  { name: 'NO_COLOR', help: 'no colours; FORCE_COLOR asks for them' },
];
