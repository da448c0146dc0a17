import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import type { CommandLine } from '../../src/cli/command-line.js';
import { confirm } from '../../src/cli/confirm.js';
import { isRealReplay, refuseUnasked, replayScreen } from '../../src/cli/replay/real-replay.js';
import { parseRunConfig } from '../../src/config/run-config.js';
import { ConfigError } from '../../src/failures.js';

const REPLAY = {
  runId: '20251221-130000_BTCUSDT_five',
  stepId: 'charts:1D:all',
  replay: true,
  backend: 'gcp',
  chartsBucket: 'gs://my-charts',
};
const EMULATORS = {
  FIRESTORE_EMULATOR_HOST: '127.0.0.1:8080',
  STORAGE_EMULATOR_HOST: 'http://127.0.0.1:9000',
};

function terminal(isTTY = true): CommandLine & { stdin: PassThrough; said: () => string } {
  const [stdin, stderr] = [new PassThrough(), new PassThrough()];
  let said = '';
  stderr.on('data', (chunk) => {
    said += chunk;
  });
  return {
    argv: [],
    env: {},
    cwd: '/',
    nodeVersion: process.versions.node,
    stdin: Object.assign(stdin, { isTTY }),
    stdout: new PassThrough(),
    stderr: Object.assign(stderr, { isTTY }),
    signals: { on: () => undefined, off: () => undefined },
    endNow: () => undefined,
    said: () => said,
  };
}

const config = (flags: object = {}, env: NodeJS.ProcessEnv = {}) =>
  parseRunConfig({ ...REPLAY, ...flags }, env, '/');

test('only a replay in the cloud itself is asked about', async () => {
  expect(isRealReplay(await config())).toBe(true);
  expect(isRealReplay(await config({}, EMULATORS))).toBe(false);
  expect(isRealReplay(await config({ replay: false }))).toBe(false);
  expect(isRealReplay(await config({ dryRun: true }))).toBe(false);
  expect(isRealReplay(await config({ backend: 'local' }))).toBe(false);
});

test('without a terminal it is refused, unless --yes was said', async () => {
  const real = await config();
  expect(() => refuseUnasked(real, terminal(false))).toThrow(ConfigError);
  expect(() => refuseUnasked(real, terminal(true))).not.toThrow();
  const yes = await config({ yes: true });
  expect(() => refuseUnasked(yes, terminal(false))).not.toThrow();
  const piped = await config({ runId: undefined, flowRunPath: '-' });
  expect(() => refuseUnasked(piped, terminal(true))).toThrow(/--yes/);
});

test.for([
  ['y\n', true],
  ['YES\n', true],
  ['n\n', false],
  ['\n', false],
  ['yesterday\n', false],
] as const)('the answer %j', async ([answer, expected]) => {
  const commandLine = terminal();
  commandLine.stdin.write(answer);
  expect(await confirm('the screen\nDo it?', commandLine, new AbortController().signal)).toBe(
    expected,
  );
  expect(commandLine.said()).toMatch(/^the screen\nDo it\? \[y\/N\]/);
});

test('the end of the input is a no; a signal is neither', async () => {
  const ended = terminal();
  ended.stdin.end();
  expect(await confirm('', ended, new AbortController().signal)).toBe(false);
  const interrupted = new AbortController();
  const answer = confirm('', terminal(), interrupted.signal);
  interrupted.abort();
  await expect(answer).rejects.toBe(interrupted.signal.reason);
});

test('the screen says what is read, called and written', async () => {
  const { runId, stepId } = REPLAY;
  const chart = { chartImgSymbol: null, interval: null, objectName: null, error: null };
  const plan = (['render', 'render', 'reuse', 'fail'] as const).map((action, n) => ({
    ...chart,
    chartTemplateId: `ctpl_${n}`,
    action,
  }));
  const screen = replayScreen(
    {
      reason: 'planned',
      runId,
      stepId,
      status: 'SUCCEEDED',
      minImages: 1,
      plan,
      calls: [
        { accountId: 'acc-1', units: 1, left: 3 },
        { accountId: 'acc-2', units: 1, left: 40 },
      ],
      error: null,
    },
    await config(),
  );
  expect(screen).toBe(`This does step charts:1D:all of run 20251221-130000_BTCUSDT_five again:
  reads   flow run 20251221-130000_BTCUSDT_five, database (default): the step is SUCCEEDED
  calls   Chart-IMG for 2 charts: 1 from acc-1 (3 left today), 1 from acc-2 (40 left today)
  keeps   1 chart of the last manifest
  fails   1 chart, known before
  writes  2 PNGs and manifest.json in gs://my-charts/charts/20251221-130000_BTCUSDT_five/charts:1D:all/; the last manifest stays beside it
  then    the step is RUNNING, and gets its new end
`);
});
