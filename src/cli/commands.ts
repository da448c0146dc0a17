import type { OptionName } from '../config/options.js';
import type { CommandRow } from './command.js';

const PLACE: readonly OptionName[] = [
  'backend',
  'workspace',
  'chartsBucket',
  'project',
  'database',
];
const WORK: readonly OptionName[] = [
  'chartsApiMode',
  ...PLACE,
  'templatesDir',
  'fixturesDir',
  'accountsConfigPath',
  'concurrency',
  'timeout',
  'cacheTtl',
];
const TEMPLATES: readonly OptionName[] = [
  'backend',
  'workspace',
  'project',
  'database',
  'templatesDir',
];
const STORE: readonly OptionName[] = ['backend', 'workspace', 'project', 'database'];
const LOG: readonly OptionName[] = ['logFormat', 'quiet', 'verbose'];

export const COMMANDS: readonly CommandRow[] = [
  {
    name: 'run-local',
    what: 'do one CHART_EXPORT step of a flow run file on this machine',
    usage: '(--flow-run-path <file|-> | --run-id <id>) [options]',
    options: [
      'flowRunPath',
      'runId',
      'stepId',
      'replay',
      'only',
      'onlyFailed',
      'scratch',
      'yes',
      'createFlowRun',
      'ignoreDependencies',
      'dryRun',
      ...WORK,
      'refresh',
      'out',
      'report',
      'outputSummary',
      'ci',
      ...LOG,
    ],
    examples: [
      {
        what: 'the first ready step of a flow run, with fixtures',
        command: 'worker-chart-export run-local --flow-run-path flow_run.json',
      },
      {
        what: 'one step in CI: one JSON object on stdout, the exit code says the rest',
        command:
          'worker-chart-export run-local --flow-run-path flow_run.json --step-id charts:1H:trend --output-summary json --quiet',
      },
      {
        what: 'look first, then do a finished step again',
        command:
          'worker-chart-export run-local --flow-run-path flow_run.json --step-id charts:1H:trend --replay --dry-run',
      },
    ],
    load: async () => (await import('./run-local.js')).runLocal,
  },
  {
    name: 'report',
    what: 'write a manifest’s charts as one HTML page',
    usage: '(<manifest> | --run-id <id> --step-id <id>) [options]',
    operands: '[manifest]',
    options: ['runId', 'stepId', 'report', ...PLACE, 'json', ...LOG],
    examples: [
      {
        what: 'the charts of a step that was done in the workspace',
        command:
          'worker-chart-export report --run-id 20251221-130000_BTCUSDT_five --step-id charts:1D:all',
      },
    ],
    load: async () => (await import('./report.js')).reportCommand,
  },
  {
    name: 'sweep',
    what: 'do what events were lost for: every eligible step of every open flow run',
    usage: '[options]',
    options: [...WORK, 'json', ...LOG],
    examples: [
      {
        what: 'the READY steps of a workspace, and those whose worker was killed',
        command: 'worker-chart-export sweep',
      },
    ],
    load: async () => (await import('./sweep.js')).sweepCommand,
  },
  {
    name: 'invoke-event',
    what: 'hand a saved CloudEvent to the function’s own adapter, on this machine',
    usage: '--event-path <file> [options]',
    options: ['eventPath', 'eventBody', ...WORK, 'json', ...LOG],
    examples: [
      {
        what: 'what the function would do, on the workspace, with fixtures',
        command: 'worker-chart-export invoke-event --event-path event.json',
      },
    ],
    load: async () => (await import('./invoke-event.js')).invokeEvent,
  },
  {
    name: 'charts generate',
    what: 'render charts of the library, every symbol in every timeframe, without a flow run',
    usage: '--symbol <symbol> --timeframe <interval> [options]',
    options: [
      'symbol',
      'timeframe',
      'template',
      'indicators',
      'theme',
      'width',
      'height',
      'trigger',
      'generatedBy',
      ...WORK,
      'refresh',
      'out',
      'json',
      ...LOG,
    ],
    examples: [
      {
        what: 'one chart of a bundled template, with fixtures',
        command:
          'worker-chart-export charts generate --symbol BTCUSDT --timeframe 4h --template ctpl_price_ma1226_vol_v1',
      },
      {
        what: 'two symbols in two timeframes, from Chart-IMG',
        command:
          'worker-chart-export charts generate --symbol DAX,EURUSD --timeframe 1h,4h --charts-api-mode real --accounts-config-path accounts.json',
      },
      {
        what: 'into one file, for an alert, not from the cache',
        command:
          'worker-chart-export charts generate --symbol DAX --timeframe 4h --indicators EMA_20,RSI --trigger alert --refresh --out dax.png --charts-api-mode real --accounts-config-path accounts.json',
      },
    ],
    load: async () => (await import('./charts/generate.js')).generateCharts,
  },
  {
    name: 'serve',
    what: 'answer HTTP requests for charts of the library, until it is stopped',
    usage: '[options]',
    options: ['port', 'host', ...WORK, ...LOG],
    examples: [
      {
        what: 'on this machine, with fixtures; its API stands at /openapi.json',
        command: 'worker-chart-export serve --port 8080',
      },
      {
        what: 'for others, with charts of Chart-IMG in the cloud',
        command:
          'CHARTS_API_TOKEN=$(cat token) worker-chart-export serve --host 0.0.0.0 --charts-api-mode real --charts-bucket gs://my-charts --accounts-config-path accounts.json',
      },
    ],
    load: async () => (await import('./serve.js')).serve,
  },
  {
    name: 'templates list',
    what: 'list the chart templates that a run would find, and where each comes from',
    usage: '[options]',
    options: [...TEMPLATES, 'json', ...LOG],
    examples: [
      {
        what: 'your own beside those that come with the package',
        command: 'worker-chart-export templates list --templates-dir chart-templates',
      },
    ],
    load: async () => (await import('./templates/list.js')).listTemplates,
  },
  {
    name: 'templates lint',
    what: 'say what Chart-IMG would refuse, plan by plan; of --templates-dir or the bundled set where nothing is named',
    usage: '[path...] [options]',
    operands: '[path...]',
    options: ['templatesDir', 'json', ...LOG],
    examples: [
      {
        what: 'every <id>.json of a folder',
        command: 'worker-chart-export templates lint chart-templates',
      },
    ],
    load: async () => (await import('./templates/lint.js')).lintTemplates,
  },
  {
    name: 'templates push',
    what: 'write to chart_templates what differs there; of --templates-dir where nothing is named',
    usage: '[path...] [options]',
    operands: '[path...]',
    options: ['dryRun', 'yes', ...TEMPLATES, 'json', ...LOG],
    examples: [
      {
        what: 'what would change in Firestore',
        command:
          'worker-chart-export templates push chart-templates --backend gcp --project my-project --dry-run',
      },
      {
        what: 'change it, in a script',
        command:
          'worker-chart-export templates push chart-templates --backend gcp --project my-project --yes',
      },
    ],
    load: async () => (await import('./templates/push.js')).pushTemplates,
  },
  {
    name: 'validate',
    what: 'check flow runs, chart templates, accounts and manifests, told apart by what they hold',
    usage: '<file|-...> [options]',
    operands: '[file...]',
    options: ['json', ...LOG],
    examples: [
      {
        what: 'everything that is wrong with some files, at once',
        command: 'worker-chart-export validate flow_run.json accounts.json',
      },
    ],
    load: async () => (await import('./validate/validate.js')).validateFiles,
  },
  {
    name: 'init',
    what: 'write a starter: a flow run, chart templates, a file for keys; nothing is overwritten',
    usage: '[dir] [options]',
    operands: '[dir]',
    options: ['json', ...LOG],
    examples: [{ what: 'in a new folder', command: 'worker-chart-export init my-charts' }],
    load: async () => (await import('./init/init.js')).initCommand,
  },
  {
    name: 'doctor',
    what: 'check what a run needs, one line each, and say how to mend what is wrong; spends no quota',
    usage: '[options]',
    options: [
      'chartsApiMode',
      ...PLACE,
      'templatesDir',
      'fixturesDir',
      'accountsConfigPath',
      'write',
      'json',
      ...LOG,
    ],
    examples: [
      { what: 'this machine, with fixtures', command: 'worker-chart-export doctor' },
      {
        what: 'before the first real run',
        command:
          'worker-chart-export doctor --charts-api-mode real --charts-bucket gs://my-charts --write',
      },
    ],
    load: async () => (await import('./doctor.js')).doctor,
  },
  {
    name: 'status',
    what: 'show where the CHART_EXPORT steps of a flow run stand; writes nothing',
    usage: '--run-id <id> | --flow-run-path <file|-> [options]',
    options: ['runId', 'flowRunPath', 'stepId', 'watch', ...PLACE, 'timeout', 'json', ...LOG],
    examples: [
      {
        what: 'who holds which step, what failed, and what to do about it',
        command: 'worker-chart-export status --run-id 20251221-120000_BTCUSDT_demo',
      },
      {
        what: 'wait in the cloud until every step is final',
        command:
          'worker-chart-export status --run-id 20251221-120000_BTCUSDT_demo --backend gcp --charts-bucket gs://my-charts --watch',
      },
    ],
    load: async () => (await import('./status/status.js')).status,
  },
  {
    name: 'usage',
    what: 'show what is left of each account’s quota today; writes nothing',
    usage: '[options]',
    options: [...PLACE, 'accountsConfigPath', 'json', ...LOG],
    examples: [
      {
        what: 'the accounts of a file, and those that only the ledger knows',
        command: 'worker-chart-export usage --accounts-config-path accounts.json',
      },
    ],
    load: async () => (await import('./usage.js')).usage,
  },
  {
    name: 'charts list',
    what: 'list stored charts, newest first',
    usage: '[options]',
    options: [
      'symbol',
      'timeframe',
      'template',
      'since',
      'limit',
      'cursor',
      ...STORE,
      'json',
      ...LOG,
    ],
    examples: [
      {
        what: 'the last day’s charts of one symbol',
        command: 'worker-chart-export charts list --symbol DAX --since 24h',
      },
    ],
    load: async () => (await import('./charts/list.js')).listCharts,
  },
  {
    name: 'charts latest',
    what: 'show the newest stored chart of a symbol and a timeframe; nobody is called',
    usage: '--symbol <symbol> --timeframe <interval> [options]',
    options: ['symbol', 'timeframe', 'template', 'out', ...STORE, 'json', ...LOG],
    examples: [
      {
        what: 'and its picture',
        command: 'worker-chart-export charts latest --symbol DAX --timeframe 4h --out dax.png',
      },
    ],
    load: async () => (await import('./charts/latest.js')).latestChart,
  },
  {
    name: 'charts show',
    what: 'show all that is known of a stored chart',
    usage: '<id> [options]',
    operands: '[id]',
    options: ['out', ...STORE, 'json', ...LOG],
    examples: [
      {
        what: 'one of the list',
        command:
          'worker-chart-export charts show 8230052784999_DAX_4h_ctpl_price_ma1226_vol_v1_b766cd89',
      },
    ],
    load: async () => (await import('./charts/show.js')).showChart,
  },
  {
    name: 'charts rm',
    what: 'remove stored charts, pictures and documents',
    usage: '<id...> [options]',
    operands: '[id...]',
    options: ['force', ...PLACE, 'json', ...LOG],
    examples: [
      {
        what: 'one of the list',
        command:
          'worker-chart-export charts rm 8230052784999_DAX_4h_ctpl_price_ma1226_vol_v1_b766cd89',
      },
    ],
    load: async () => (await import('./charts/rm.js')).removeCharts,
  },
  {
    name: 'charts prune',
    what: 'delete the pictures of expired charts; may be interrupted and run again',
    usage: '[options]',
    options: ['purge', 'force', 'dryRun', ...PLACE, 'json', ...LOG],
    examples: [
      { what: 'what it would delete', command: 'worker-chart-export charts prune --dry-run' },
      {
        what: 'every night, and no trace is kept',
        command:
          'worker-chart-export charts prune --purge --backend gcp --charts-bucket gs://my-charts',
      },
    ],
    load: async () => (await import('./charts/prune.js')).pruneCharts,
  },
  {
    name: 'symbols list',
    what: 'list the symbols of the chart library; what nobody changed is the starter set',
    usage: '[options]',
    options: [...STORE, 'json', ...LOG],
    examples: [{ what: 'all of them', command: 'worker-chart-export symbols list' }],
    load: async () => (await import('./symbols/list.js')).listSymbols,
  },
  {
    name: 'symbols set',
    what: 'write a symbol, or change what is named of one',
    usage: '<symbol> [options]',
    operands: '[symbol]',
    options: [
      'tradingViewSymbol',
      'assetClass',
      'name',
      'aliases',
      'timeframes',
      'indicators',
      'dryRun',
      ...STORE,
      'json',
      ...LOG,
    ],
    examples: [
      {
        what: 'a new one',
        command:
          'worker-chart-export symbols set SPX --trading-view-symbol SP:SPX --asset-class index --aliases ^GSPC',
      },
      {
        what: 'other indicators for one that is there',
        command: 'worker-chart-export symbols set DAX --indicators EMA_20,MACD',
      },
    ],
    load: async () => (await import('./symbols/set.js')).setSymbol,
  },
  {
    name: 'symbols enable',
    what: 'let charts be made of symbols again',
    usage: '<symbol...> [options]',
    operands: '[symbol...]',
    options: [...STORE, 'json', ...LOG],
    examples: [{ what: 'one', command: 'worker-chart-export symbols enable DJI' }],
    load: async () => (await import('./symbols/switch.js')).enableSymbols,
  },
  {
    name: 'symbols disable',
    what: 'refuse charts of symbols from now on',
    usage: '<symbol...> [options]',
    operands: '[symbol...]',
    options: [...STORE, 'json', ...LOG],
    examples: [{ what: 'one', command: 'worker-chart-export symbols disable DJI' }],
    load: async () => (await import('./symbols/switch.js')).disableSymbols,
  },
  {
    name: 'symbols import',
    what: 'write every symbol of a JSON file, or nothing where one is wrong',
    usage: '<file|-> [options]',
    operands: '[file]',
    options: ['dryRun', ...STORE, 'json', ...LOG],
    examples: [
      {
        what: 'what another workspace has',
        command:
          'worker-chart-export symbols list --workspace old --json | worker-chart-export symbols import -',
      },
    ],
    load: async () => (await import('./symbols/import.js')).importSymbols,
  },
];
