import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { JsonObject, RunSummary } from '../../src/contracts/documents.js';
import { thisProcess } from '../../src/local-disk/process-identity.js';
import { emptyFolder, flowRun, jsonFile, type LogLine, runCli } from '../support/cli-run.js';
import { CliWorkspace, filesIn, summaryOn } from '../support/cli-workspace.js';

type OnTestFinished = (undo: () => Promise<void>) => void;

const RUN_ID = '20251221-120000_BTCUSDT_demo';
const STEP_ID = 'charts:1H:test';
const GOOD = 'ctpl_price_ma1226_vol_v1';

/** One thing that is wrong, and the place that the one line about it has to name. */
interface Wrong {
  readonly what: string;
  readonly names: string | RegExp;
  /** The flow run, or its text as it stands in the file. */
  readonly run?: unknown;
  readonly text?: string;
  /** Without the flow run's path and what the output is. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly prepare?: (cwd: string) => Promise<unknown>;
}

interface Done {
  readonly cwd: string;
  readonly workspace: CliWorkspace;
  readonly exitCode: number | null;
  readonly summary: RunSummary;
  readonly before: Record<string, string>;
  readonly after: Record<string, string>;
}

async function prepared(wrong: Wrong, onTestFinished: OnTestFinished) {
  const cwd = await emptyFolder(onTestFinished);
  await writeFile(join(cwd, 'run.json'), wrong.text ?? JSON.stringify(wrong.run ?? flowRun()));
  await wrong.prepare?.(cwd);
  return cwd;
}

/** Later flags win: a row may name another file, or another format. */
function argvOf({ flags = [] }: Wrong, ...output: string[]): string[] {
  return ['run-local', '--flow-run-path', 'run.json', ...output, ...flags];
}

/** A stack's lines, as they are and as they stand in a JSON string. */
const STACK = /(^|\\n)\s+at \S|node:internal|a bug in this worker/m;

/** The lines of stderr: the log's, and what was said before there was a log. */
function logged(stderr: string): LogLine[] {
  return stderr
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      if (line.startsWith('{')) return JSON.parse(line);
      expect(line).toMatch(/^error: /);
      return { severity: 'ERROR', message: line.slice('error: '.length) };
    });
}

/** Runs it, and checks what holds of every wrong input, whatever it is. */
async function runWrong(wrong: Wrong, onTestFinished: OnTestFinished): Promise<Done> {
  const cwd = await prepared(wrong, onTestFinished);
  const before = await filesIn(cwd);
  const argv = argvOf(wrong, '--output-summary', 'json', '--log-format', 'json');
  const env = { LOG_LEVEL: 'debug', ...wrong.env };
  const { exitCode, stdout, stderr } = await runCli(argv, { cwd, env });
  const summary = summaryOn(stdout);

  expect(summary.message).toMatch(wrong.names);
  expect(summary.message).not.toMatch(/[\r\n]/);
  expect(stderr + stdout).not.toMatch(STACK);
  const lines = logged(stderr);
  expect(lines.map(({ event }) => event)).not.toContain('chart_api_call_start');
  const errors = lines.filter(({ severity }) => severity === 'ERROR');
  const isError = exitCode === 2 || exitCode === 4;
  expect(errors.map(({ message }) => message)).toEqual(isError ? [summary.message] : []);

  const after = await filesIn(cwd);
  expect(Object.keys(after).filter((name) => name.endsWith('.png'))).toEqual([]);
  expect(after['run.json']).toBe(before['run.json']);
  return { cwd, workspace: new CliWorkspace(cwd), exitCode, summary, before, after };
}

const NOTHING_DONE = {
  outputsManifestGcsUri: null,
  itemsCount: null,
  failuresCount: null,
  durationMs: null,
  attempt: null,
  items: [],
  failures: [],
};

/** A flow run with other fields than usual; `undefined` takes one away. */
function withFields(fields: JsonObject): JsonObject {
  return { ...flowRun(), ...fields };
}

function requestsOf(...chartTemplateIds: unknown[]): JsonObject[] {
  return chartTemplateIds.map((chartTemplateId) => ({ chartTemplateId }));
}

const NAMED = ['--step-id', STEP_ID];

const NOT_ADDRESSABLE: readonly Wrong[] = [
  { what: 'no file', flags: ['--flow-run-path', 'none.json'], names: /none\.json.*no such file/ },
  {
    what: 'a path below a file',
    flags: ['--flow-run-path', 'run.json/x.json'],
    names: /run\.json\/x\.json.*not a directory/,
  },
  { what: 'a directory', flags: ['--flow-run-path', '.'], names: /it is a directory/ },
  { what: 'an empty file', text: '', names: /run\.json is not JSON: it is empty/ },
  {
    what: 'a file that is not JSON',
    text: '{\n  "runId": nope\n}',
    names: /run\.json is not JSON(?!.*too early)/,
  },
  {
    what: 'a comma too many',
    text: '{\n  "runId": "x",\n}',
    names: /run\.json is not JSON \(line 3, column 1\)$/,
  },
  { what: 'half a file', text: '{"runId": "2025', names: /run\.json is not JSON/ },
  { what: 'an array', run: [flowRun()], names: /run\.json holds an array/ },
  { what: 'a string', run: 'flow run', names: /run\.json holds a string/ },
  { what: 'a number', run: 7, names: /run\.json holds a number/ },
  { what: 'null', text: 'null', names: /run\.json holds null/ },
  { what: 'an empty object', run: {}, names: /^runId: is required/ },
  { what: 'no steps', run: withFields({ steps: undefined }), names: /^steps: / },
  { what: 'steps without any', run: withFields({ steps: {} }), names: /^steps: / },
  { what: 'steps that are a list', run: withFields({ steps: [{}] }), names: /^steps: / },
  { what: 'steps that are null', run: withFields({ steps: null }), names: /^steps: / },
  { what: 'an unknown step', flags: ['--step-id', 'charts:1H:other'], names: /charts:1H:other/ },
  {
    what: 'a step of another type',
    run: flowRun({ stepType: 'LLM_REPORT' }),
    flags: NAMED,
    names: /charts:1H:test is of type "LLM_REPORT"/,
  },
  {
    what: 'a step without a type',
    run: flowRun({ stepType: undefined }),
    flags: NAMED,
    names: STEP_ID,
  },
  {
    what: 'a step that is null',
    run: withFields({ steps: { [STEP_ID]: null } }),
    flags: NAMED,
    names: STEP_ID,
  },
  {
    what: 'a step without a status',
    run: flowRun({ status: undefined }),
    flags: NAMED,
    names: /status: is required/,
  },
  ...[
    undefined,
    null,
    7,
    '',
    'demo',
    '20251221-120000_btcusdt_demo',
    '20251221-120000_BTCUSDT_demonstration',
    '20251221-120000_BTCUSDT_demo\n',
    '../../etc/passwd',
    '20251221-120000_../../etc/passwd_demo',
    '__proto__',
    'constructor',
    'toString',
  ].map((runId) => ({
    what: `runId ${JSON.stringify(runId)}`,
    run: withFields({ runId }),
    names: /^runId: /,
  })),
  ...[
    '../../etc/passwd',
    '__proto__',
    'constructor',
    'toString',
    'charts/1H',
    '.hidden',
    'two words',
    'tab\tin it',
    'line\nbreak',
    'x'.repeat(201),
  ].map((stepId) => ({
    what: `--step-id ${JSON.stringify(stepId.slice(0, 20))}`,
    flags: ['--step-id', stepId],
    names: /--step-id: /,
  })),
  {
    what: 'a step __proto__ that is in the file',
    text: `{"runId":"${RUN_ID}","scope":{"symbol":"BTCUSDT"},"steps":{"__proto__":{"stepType":"CHART_EXPORT","status":"READY"}}}`,
    flags: ['--step-id', '__proto__'],
    names: /--step-id: "__proto__"/,
  },
  {
    what: 'an unknown step among some with line breaks in their ids',
    run: withFields({ steps: { 'line\nbreak': {}, c: {} } }),
    flags: ['--step-id', 'other'],
    names: /has no step other; it has/,
  },
];

describe('what cannot be addressed', () => {
  test.for(NOT_ADDRESSABLE)('$what: exit 2, and nothing is written', async (wrong, context) => {
    const done = await runWrong(wrong, context.onTestFinished);
    expect(done.exitCode).toBe(2);
    expect(done.summary).toMatchObject({
      ...NOTHING_DONE,
      status: 'FAILED',
      errorCode: 'VALIDATION_FAILED',
      noop: false,
      chartsApiMode: 'mock',
      backend: 'local',
    });
    expect(done.after).toEqual(done.before);
  });

  test('the same comes over stdin', async ({ onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const argv = ['run-local', '--flow-run-path', '-', '--output-summary', 'json'];
    for (const input of ['', '[]']) {
      const { exitCode, stdout } = await runCli(argv, { cwd, input });
      expect(exitCode).toBe(2);
      expect(summaryOn(stdout).message).toMatch(/^flow run stdin /);
    }
    expect(await readdir(cwd)).toEqual([]);
  });
});

function symbolOf(symbol: unknown): JsonObject {
  return withFields({ scope: { symbol } });
}

function inputsOf(inputs: unknown): JsonObject {
  return flowRun({ inputs });
}

const STEP_FAILS: readonly Wrong[] = [
  { what: 'a symbol with a slash', run: symbolOf('BTC/USDT'), names: /^scope\.symbol: / },
  {
    what: 'a symbol with white space inside',
    run: symbolOf('BTC USDT'),
    names: /^scope\.symbol: /,
  },
  { what: 'a symbol that climbs', run: symbolOf('../../etc'), names: /^scope\.symbol: / },
  { what: 'a symbol of 41 letters', run: symbolOf('B'.repeat(41)), names: /^scope\.symbol: / },
  { what: 'a symbol that is a number', run: symbolOf(1), names: /^scope\.symbol: / },
  { what: 'an empty symbol', run: symbolOf(''), names: /^scope\.symbol: / },
  { what: 'a symbol constructor', run: symbolOf('constructor'), names: /^scope\.symbol: / },
  { what: 'no symbol', run: withFields({ scope: {} }), names: /^scope\.symbol: is required/ },
  { what: 'no scope', run: withFields({ scope: undefined }), names: /^scope\.symbol: is required/ },
  ...['1x', '1Min', '', '60', ' 1h'].map((timeframe) => ({
    what: `timeframe ${JSON.stringify(timeframe)}`,
    run: flowRun({ timeframe }),
    names: /steps\["charts:1H:test"\]\.timeframe: /,
  })),
  {
    what: 'no timeframe',
    run: flowRun({ timeframe: undefined }),
    names: /\.timeframe: is required/,
  },
  {
    what: 'a chart template twice',
    run: inputsOf({ minImages: 1, requests: requestsOf(GOOD, 'other', GOOD) }),
    names: /inputs\.requests\[2\]\.chartTemplateId: ctpl_price_ma1226_vol_v1 is asked for twice/,
  },
  ...[2, -1, '2', 1.5, null].map((minImages) => ({
    what: `minImages ${JSON.stringify(minImages)} of one`,
    run: inputsOf({ minImages, requests: requestsOf(GOOD) }),
    names: /inputs\.minImages: /,
  })),
  { what: 'no requests', run: inputsOf({ requests: [] }), names: /inputs\.requests: / },
  { what: 'no list of requests', run: inputsOf({}), names: /inputs\.requests: is required/ },
  { what: 'no inputs', run: inputsOf(undefined), names: /inputs: is required/ },
  {
    what: '65 requests',
    run: inputsOf({ requests: requestsOf(...Array.from({ length: 65 }, (_, n) => `ctpl_${n}`)) }),
    names: /inputs\.requests: .*64/,
  },
  ...['../../etc/passwd', '__proto__', 'constructor', 'a b', '', 7, undefined].map((id) => ({
    what: `chartTemplateId ${JSON.stringify(id)}`,
    run: inputsOf({ minImages: 0, requests: requestsOf(id) }),
    names: /inputs\.requests\[0\]\.chartTemplateId: /,
  })),
];

describe('inputs that are wrong as a whole', () => {
  test.for(STEP_FAILS)('$what: claimed, FAILED, nothing drawn', async (wrong, context) => {
    const { exitCode, summary, workspace } = await runWrong(wrong, context.onTestFinished);
    expect(exitCode).toBe(1);
    expect(summary).toMatchObject({
      status: 'FAILED',
      errorCode: 'VALIDATION_FAILED',
      runId: RUN_ID,
      stepId: STEP_ID,
      outputsManifestGcsUri: null,
      noop: false,
      attempt: 1,
      itemsCount: 0,
      items: [],
    });
    const { steps, ...rest } = wrong.run as JsonObject;
    const given = (steps as Record<string, JsonObject>)[STEP_ID];
    expect(await workspace.document('flow_runs', RUN_ID)).toEqual({
      ...rest,
      steps: {
        [STEP_ID]: {
          ...given,
          status: 'FAILED',
          error: { code: 'VALIDATION_FAILED', message: summary.message },
          finishedAt: expect.stringMatching(/Z$/),
          outputs: {},
        },
      },
    });
    expect(await workspace.lease(RUN_ID, STEP_ID)).toMatchObject({ state: 'DONE' });
    expect(await workspace.objects()).toEqual([]);
  });

  test('are all said at once', async ({ onTestFinished }) => {
    const run = {
      ...flowRun({ timeframe: '9x', inputs: { minImages: 3, requests: requestsOf('a', 'a') } }),
      scope: { symbol: 'A/B' },
    };
    const names = /^scope\.symbol: .*; .*\.timeframe: .*; .*\[1\]\.chartTemplateId: .*minImages: /;
    const { exitCode } = await runWrong({ what: '', run, names }, onTestFinished);
    expect(exitCode).toBe(1);
  });
});

function cancelled(): JsonObject {
  return withFields({ status: 'CANCELLED' });
}

const blockedByPending = {
  ...flowRun({ dependsOn: ['ohlcv:1H'] }),
  steps: {
    ...(flowRun({ dependsOn: ['ohlcv:1H'] }).steps as JsonObject),
    'ohlcv:1H': { stepType: 'OHLCV_EXPORT', status: 'PENDING' },
  },
};

/** Held by a process that lives: this one. */
async function holdLease(cwd: string): Promise<void> {
  const workspace = new CliWorkspace(cwd);
  const folder = join(workspace.documentPath('flow_runs', RUN_ID).slice(0, -5), 'step_leases');
  await mkdir(folder, { recursive: true });
  await jsonFile(folder, `${encodeURIComponent(STEP_ID)}.json`, {
    schemaVersion: 1,
    token: 'token',
    claimId: 'claim',
    attempt: 1,
    state: 'ACTIVE',
    ttlMs: 3_600_000,
    heartbeat: 1,
    writeId: 'write',
    claimedAt: '2025-12-21T12:00:05.000Z',
    owner: thisProcess(),
    reserved: {},
  });
}

const NOTHING_TO_DO: readonly (Wrong & { status: string | null })[] = [
  { what: 'no READY step', run: flowRun({ status: 'PENDING' }), names: /PENDING/, status: null },
  {
    what: 'a FAILED step, not named',
    run: flowRun({ status: 'FAILED' }),
    names: '--replay',
    status: null,
  },
  ...['PENDING', 'SKIPPED', 'CANCELLED', 'DREAMING'].map((status) => ({
    what: `a named step that is ${status}`,
    run: flowRun({ status }),
    flags: NAMED,
    names: `charts:1H:test is ${status}`,
    status,
  })),
  { what: 'a blocked step', run: blockedByPending, names: /ohlcv:1H \(PENDING\)/, status: null },
  {
    what: 'a blocked step that is named',
    run: blockedByPending,
    flags: NAMED,
    names: /charts:1H:test is blocked by ohlcv:1H \(PENDING\); --ignore-dependencies does it/,
    status: 'READY',
  },
  {
    what: 'a dependency that is not in the run',
    run: flowRun({ dependsOn: ['gone'] }),
    names: /"gone" \(not in the run\); status says what helps/,
    status: null,
  },
  {
    what: 'no CHART_EXPORT step',
    run: flowRun({ stepType: 'OHLCV_EXPORT' }),
    names: /no CHART_EXPORT step/,
    status: null,
  },
  {
    what: 'nothing but a step with a hostile id',
    run: flowRun({ stepId: '../../etc/passwd' }),
    names: /no CHART_EXPORT step/,
    status: null,
  },
  { what: 'a cancelled run', run: cancelled(), names: /is CANCELLED/, status: null },
  {
    what: 'a named step of a cancelled run',
    run: cancelled(),
    flags: NAMED,
    names: /is CANCELLED/,
    status: 'READY',
  },
  {
    what: 'RUNNING without a lease',
    run: flowRun({ status: 'RUNNING' }),
    flags: NAMED,
    names: /RUNNING without a lease.*--replay/,
    status: 'RUNNING',
  },
  {
    what: 'held by another worker',
    run: flowRun({ status: 'RUNNING' }),
    flags: NAMED,
    prepare: holdLease,
    names: new RegExp(`held by process ${process.pid} .*since 2025-12-21T12:00:05`),
    status: 'RUNNING',
  },
  {
    what: 'held by another worker, and --replay',
    run: flowRun({ status: 'RUNNING' }),
    flags: ['--replay'],
    prepare: holdLease,
    names: new RegExp(`held by process ${process.pid} .*since 2025-12-21T12:00:05`),
    status: 'RUNNING',
  },
];

describe('nothing to do', () => {
  test.for(NOTHING_TO_DO)('$what: exit 3, nothing claimed', async (wrong, context) => {
    const { exitCode, summary, workspace } = await runWrong(wrong, context.onTestFinished);
    expect(exitCode).toBe(3);
    const { status } = wrong;
    expect(summary).toMatchObject({ ...NOTHING_DONE, status, errorCode: null, noop: true });
    expect(await workspace.document('flow_runs', RUN_ID)).toEqual(wrong.run);
    expect(await workspace.objects()).toEqual([]);
  });
});

test('folders of --out and --report that nothing came into are taken back', async ({
  onTestFinished,
}) => {
  const cwd = await emptyFolder(onTestFinished);
  await mkdir(join(cwd, 'mine'));
  await jsonFile(cwd, 'flow_run.json', flowRun({ status: 'PENDING' }));
  const argv = ['run-local', '--flow-run-path', 'flow_run.json', '--out', 'mine/a/b'];
  const { exitCode } = await runCli([...argv, '--report', 'pages/x/y.html'], { cwd });
  expect(exitCode).toBe(3);
  expect(await readdir(join(cwd, 'mine'))).toEqual([]);
  expect(await readdir(cwd)).not.toContain('pages');
});

/** An accounts file in which one field is not as it has to be, in as many ways. */
function accounts(field: string, ...values: unknown[]): Wrong {
  const file = values.map((value, n) => ({ id: `acc-${n}`, apiKey: `k-${n}`, [field]: value }));
  const names = values.map((_, n) => `\\[${n}\\]\\.${field}: [^;]+`).join('; .*');
  return accountsFile(
    `${field} ${values.map((value) => JSON.stringify(value))}`,
    file,
    new RegExp(names),
  );
}

function accountsFile(what: string, content: unknown, names: RegExp): Wrong {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  return {
    what: `accounts file: ${what}`,
    flags: ['--accounts-config-path', 'accounts.json'],
    prepare: (cwd) => writeFile(join(cwd, 'accounts.json'), text),
    names: new RegExp(`accounts\\.json.*${names.source}`),
  };
}

function twice(field: 'id' | 'apiKey'): JsonObject[] {
  const [first, second] = [1, 2].map((n) => ({ id: `acc-${n}`, apiKey: `k-${n}` }));
  return [{ ...first }, { ...second, [field]: first?.[field] }];
}

function flag(name: string, value: string, names?: RegExp): Wrong {
  const what = `${name} ${JSON.stringify(value)}`;
  return { what, flags: [name, value], names: names ?? new RegExp(`${name}.*${value}`) };
}

function variable(name: string, value: string, names?: RegExp): Wrong {
  const what = `${name}=${JSON.stringify(value)}`;
  return { what, env: { [name]: value }, names: names ?? new RegExp(`${name}.*${value}`) };
}

const CONFIG: readonly Wrong[] = [
  accountsFile('not JSON', '[{', /is not JSON/),
  accountsFile('empty', '', /is not JSON/),
  accountsFile('an object', '{"id":"a","apiKey":"k"}', /is no list of accounts/),
  accountsFile('no account', '[]', /is a list without accounts/),
  accountsFile('a number in it', '[1]', /\[0\]: must be object/),
  accounts('id', undefined, '', 'a/b', '../x', '.a', 7, 'x'.repeat(101), '__proto__'),
  accounts('apiKey', undefined, '', 'two words', 'line\nbreak', 7, 'ключ'),
  accounts('dailyLimit', -1, 1.5, '50', null),
  accounts('plan', 'GOLD', 'basic', 1, null),
  accounts('requestsPerSecond', 0, -1, '1', null),
  accounts('burst', 0, 1.5, '3', null),
  accounts('priority', 1.5, '1', null),
  accountsFile('the id constructor', [{ id: 'constructor', apiKey: 'k' }], /\[0\]\.id: /),
  accountsFile('an id twice', twice('id'), /\[1\]\.id: is the same as \[0\]\.id/),
  accountsFile('a key twice', twice('apiKey'), /\[1\]\.apiKey: the same key is there twice/),
  flag('--accounts-config-path', 'none.json', /none\.json cannot be read: no such file/),
  flag('--accounts-config-path', '.', /cannot be read: it is a directory/),
  variable('CHART_IMG_ACCOUNTS_JSON', '[{', /^CHART_IMG_ACCOUNTS_JSON is not JSON/),
  ...['Mars/Olympus', 'Europe/Berlín', '+02:00', 'Etc/UTC;x'].map((zone) =>
    variable('CHARTS_DEFAULT_TIMEZONE', zone, /^CHARTS_DEFAULT_TIMEZONE: .*IANA/),
  ),
  ...[
    'gs://',
    'AB',
    'ab',
    'a'.repeat(64),
    'UPPER-case',
    'a..b',
    '127.0.0.1',
    'gs://a/b',
    '../x',
  ].map((bucket) => flag('--charts-bucket', bucket, /^--charts-bucket: .* is not a bucket/)),
  variable('CHARTS_BUCKET', 's3://bucket', /^CHARTS_BUCKET: "s3:\/\/bucket" is not a bucket/),
  flag('--workspace', 'run.json', /run\.json cannot be written: .*--workspace/),
  flag('--workspace', 'run.json/below', /below cannot be written: .*--workspace/),
  variable('WORKER_CHART_EXPORT_WORKSPACE', 'run.json/below', /below cannot be written/),
  flag('--out', 'run.json', /--out .*run\.json/),
  flag('--out', 'run.json/below', /--out .*below cannot be written/),
  flag('--templates-dir', 'none', /^--templates-dir: .*none is not a folder/),
  flag('--templates-dir', 'run.json', /^--templates-dir: .*run\.json is not a folder/),
  variable('CHARTS_TEMPLATES_DIR', 'none', /^CHARTS_TEMPLATES_DIR: .*none is not a folder/),
  flag('--fixtures-dir', 'none', /^--fixtures-dir: .*none is not a folder/),
  variable('CHARTS_FIXTURES_DIR', 'none', /^CHARTS_FIXTURES_DIR: .*none is not a folder/),
  flag('--charts-api-mode', 'fake'),
  flag(
    '--charts-api-mode',
    'real',
    /^real mode needs Chart-IMG accounts: .*--accounts-config-path/,
  ),
  {
    what: 'record mode in production',
    flags: ['--charts-api-mode', 'record'],
    env: { ENV: 'production' },
    names: /^record mode is refused in production/,
  },
  {
    what: 'recording into an installed package',
    flags: ['--charts-api-mode', 'record', '--fixtures-dir', 'node_modules/x/fixtures'],
    names: /^--fixtures-dir: .* is in an installed package/,
  },
  ...['ftp://x', 'http://example.com', 'https://a:b@c', 'nowhere'].map((url) => ({
    ...variable('CHART_IMG_BASE_URL', url, /CHART_IMG_BASE_URL /),
    flags: ['--charts-api-mode', 'record'],
  })),
  {
    ...variable('CHART_IMG_TIMEOUT_SECONDS', 'soon'),
    flags: ['--charts-api-mode', 'record'],
  },
  variable('CHARTS_API_MODE', 'Mock'),
  flag('--backend', 'aws'),
  variable('CHARTS_BACKEND', 'gcp', /^CHARTS_BACKEND=gcp with mock mode: .*--backend gcp/),
  ...['0', '65', '1.5', '-1', 'ten', '1e1'].map((count) => flag('--concurrency', count)),
  variable('CHARTS_CONCURRENCY', '0'),
  ...['0', '-5', 'soon', '86401'].map((seconds) => flag('--timeout', seconds)),
  variable('CHARTS_TIMEOUT_SECONDS', '1m'),
  ...['0', '0.4', 'never'].map((seconds) => variable('CHARTS_LEASE_TTL_SECONDS', seconds)),
  variable('LOG_LEVEL', 'loud'),
  flag('--log-format', 'xml'),
  {
    what: '--quiet and --verbose',
    flags: ['--quiet', '--verbose'],
    names: /--quiet and --verbose/,
  },
  { what: 'an unknown flag', flags: ['--stepid', 'x'], names: /--stepid.*Did you mean --step-id/ },
  {
    what: 'an argument too many',
    flags: ['run.json'],
    names: /too many arguments.* It is: run-local \(--flow-run-path/,
  },
  {
    what: 'no flow run',
    flags: ['--flow-run-path', ''],
    names: /--flow-run-path is given without a value/,
  },
  {
    what: 'several things at once',
    flags: ['--concurrency', '0', '--charts-bucket', 'NO'],
    env: { CHARTS_DEFAULT_TIMEZONE: 'nowhere' },
    names: /CHARTS_DEFAULT_TIMEZONE: .*; --charts-bucket: .*; --concurrency: /,
  },
];

describe('wrong configuration', () => {
  test.for(CONFIG)('$what: exit 2, and nothing is written', async (wrong, context) => {
    const done = await runWrong(wrong, context.onTestFinished);
    expect(done.exitCode).toBe(2);
    expect(done.summary).toMatchObject({
      ...NOTHING_DONE,
      status: null,
      errorCode: 'CONFIG_ERROR',
      runId: null,
      stepId: null,
      noop: false,
    });
    expect(done.after).toEqual(done.before);
  });
});

describe('a workspace that cannot be used', () => {
  const damaged = async (cwd: string) => {
    const path = new CliWorkspace(cwd).documentPath('flow_runs', RUN_ID);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, '{"runId":');
  };

  test('a document that is not JSON is named, and stays as it is', async ({ onTestFinished }) => {
    const names = /20251221-120000_BTCUSDT_demo\.json does not hold a JSON object; mend or delete/;
    const done = await runWrong({ what: '', prepare: damaged, names }, onTestFinished);
    expect(done.exitCode).toBe(2);
    expect(done.summary).toMatchObject({ status: null, errorCode: 'CONFIG_ERROR' });
    const { '.worker-chart-export/.gitignore': ignored, ...rest } = done.after;
    expect(ignored).toBeDefined();
    expect(rest).toEqual(done.before);
  });

  test('a disk on which no document can be written: exit 4', async ({ onTestFinished }) => {
    const prepare = async (cwd: string) => {
      const { root } = new CliWorkspace(cwd);
      await mkdir(root);
      await writeFile(join(root, 'firestore'), 'a file where a folder has to be');
    };
    const names = /worker-chart-export/;
    const done = await runWrong({ what: '', prepare, names }, onTestFinished);
    expect(done.exitCode).toBe(4);
    expect(done.summary).toMatchObject({ status: null, errorCode: 'INFRASTRUCTURE_ERROR' });
  });
});

describe('what people see', () => {
  const cases: readonly (Wrong & { exitCode: number; last: string })[] = [
    {
      what: 'what cannot be addressed',
      run: {},
      names: /^error: runId: is required/,
      exitCode: 2,
      last: 'FAILED: manifest=-, items=-, failures=-, minImages=-, error=VALIDATION_FAILED',
    },
    {
      what: 'wrong configuration',
      flags: ['--concurrency', '0'],
      names: /^error: --concurrency: "0" is not a whole number from 1 to 64$/,
      exitCode: 2,
      last: 'CONFIG_ERROR: manifest=-, items=-, failures=-, minImages=-, error=CONFIG_ERROR',
    },
    {
      what: 'wrong inputs',
      run: symbolOf('A/B'),
      names: /^scope\.symbol: /,
      exitCode: 1,
      last: 'FAILED: manifest=-, items=0, failures=0, minImages=-, error=VALIDATION_FAILED',
    },
    {
      what: 'nothing to do',
      run: flowRun({ status: 'PENDING' }),
      names: /PENDING/,
      exitCode: 3,
      last: '-: manifest=-, items=-, failures=-, minImages=-',
    },
  ];

  test.for(cases)('of $what is one line and the line for scripts', async (wrong, context) => {
    const cwd = await prepared(wrong, context.onTestFinished);
    const argv = argvOf(wrong, '--log-format', 'pretty', '--quiet');
    const { exitCode, stdout, stderr } = await runCli(argv, { cwd });
    expect(exitCode).toBe(wrong.exitCode);
    expect(`${stderr}${stdout}`.trimEnd().split('\n')).toEqual([
      expect.stringMatching(wrong.names),
      `CHART_EXPORT ${wrong.last}`,
    ]);
    expect(stderr === '').toBe(wrong.exitCode !== 2);
  });

  test.for(cases)('of $what is nothing on stdout with none', async (wrong, context) => {
    const cwd = await prepared(wrong, context.onTestFinished);
    const { exitCode, stdout } = await runCli(argvOf(wrong, '--output-summary', 'none'), { cwd });
    expect(exitCode).toBe(wrong.exitCode);
    expect(stdout).toBe('');
  });
});
