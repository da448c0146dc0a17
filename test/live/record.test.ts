import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { filesIn } from '../support/cli-workspace.js';
import {
  eventsOf,
  LIVE_ACCOUNT,
  LIVE_RUN_ID,
  LIVE_STEP_ID,
  LiveScene,
} from '../support/live-scene.js';
import { CRASH_AT, THREE_CHARTS } from '../support/step-scene.js';

const [FIRST, SECOND] = THREE_CHARTS;
const nameOf = (chart: string) => `BINANCE_BTCUSDT__1H__${chart}.png`;
const ACCOUNT_ID = LIVE_ACCOUNT.id;
const RUN_FILE = `${LIVE_RUN_ID}.json`;

describe('what is recorded', () => {
  test('the first run calls and saves, the second calls nobody and needs no accounts', async ({
    onTestFinished,
  }) => {
    const scene = await LiveScene.in(onTestFinished, [FIRST, SECOND]);
    const first = await scene.record();
    expect(first, first.stderr).toMatchObject({ exitCode: 0, summary: { status: 'SUCCEEDED' } });
    expect(scene.fake.requests.map(({ status }) => status)).toEqual([200, 200]);
    expect(await scene.recorded()).toEqual([FIRST, SECOND].map(nameOf).sort());
    expect(await scene.workspace().unitsUsed(ACCOUNT_ID)).toBe(2);

    const second = await scene.record({ workspace: 'fresh', accounts: 'none' });
    expect(second, second.stderr).toMatchObject({ exitCode: 0, summary: { itemsCount: 2 } });
    expect(scene.fake.requests).toHaveLength(2);
    for (const { chartTemplateId, pngGcsUri } of second.summary.items) {
      const saved = await readFile(join(scene.recordings, nameOf(chartTemplateId)));
      expect(await scene.workspace('fresh').object(pngGcsUri)).toEqual(saved);
    }
    const finished = eventsOf(second.log, 'chart_api_call_finished');
    expect(finished.map(({ fixtureKey }) => fixtureKey).sort()).toEqual(await scene.recorded());
  });

  test('a replay costs no unit: only what is missing is reserved and asked for', async ({
    onTestFinished,
  }) => {
    const scene = await LiveScene.in(onTestFinished, [FIRST]);
    await scene.record({ workspace: 'one' });
    const again = await scene.record({ workspace: 'two' });
    expect(again.exitCode, again.stderr).toBe(0);
    expect(await scene.workspace('two').unitsUsed(ACCOUNT_ID)).toBeUndefined();

    await scene.ask([FIRST, SECOND]);
    const more = await scene.record({ workspace: 'three' });
    expect(more.exitCode, more.stderr).toBe(0);
    expect(await scene.workspace('three').unitsUsed(ACCOUNT_ID)).toBe(1);
    expect(scene.fake.requests).toHaveLength(2);
    expect(await scene.recorded()).toEqual([FIRST, SECOND].map(nameOf).sort());
  });

  test('of a 500 and then a chart the chart alone', async ({ onTestFinished }) => {
    const scene = await LiveScene.in(onTestFinished, [FIRST]);
    scene.fake.faults.add({ fault: { act: 'answer', status: 500, body: '{"message":"no"}' } });
    const run = await scene.record();
    expect(run.exitCode, run.stderr).toBe(0);
    expect(scene.fake.requests).toHaveLength(2);
    expect(await scene.recorded()).toEqual([nameOf(FIRST)]);
  });

  test.for([
    { status: 401, message: 'Invalid Request', errorCode: 'CHART_API_FAILED' },
    { status: 403, message: 'Forbidden', errorCode: 'CHART_API_FAILED' },
    { status: 429, message: 'Limit Exceeded', errorCode: 'CHART_API_LIMIT_EXCEEDED' },
    { status: 429, message: 'Slow down', errorCode: 'CHART_API_LIMIT_EXCEEDED' },
    { status: 500, message: 'Something Went Wrong', errorCode: 'CHART_API_FAILED' },
    { status: 200, message: 'not a PNG', errorCode: 'CHART_API_FAILED' },
  ])(
    'nothing of $status "$message": another key, or another day, would change it',
    async ({ status, message, errorCode }, { onTestFinished }) => {
      const scene = await LiveScene.in(onTestFinished, [FIRST]);
      const fault = { act: 'answer', status, body: JSON.stringify({ message }) } as const;
      scene.fake.faults.add({ times: 'forever', fault });
      const run = await scene.record();
      expect(run, run.stderr).toMatchObject({ exitCode: 1, summary: { errorCode } });
      expect(scene.fake.requests.length).toBeGreaterThan(0);
      expect(await scene.recorded()).toEqual([]);
    },
  );

  test('a 422 as {status, body}, replayed as the same failure without a call', async ({
    onTestFinished,
  }) => {
    const scene = await LiveScene.in(onTestFinished, [FIRST]);
    const body = [{ value: 'x', msg: 'must be a supported interval', param: 'interval' }];
    scene.fake.faults.add({ fault: { act: 'answer', status: 422, body: JSON.stringify(body) } });
    const first = await scene.record();
    const name = nameOf(FIRST).replace('.png', '__422_INTERVAL_MUST_BE_A_SUPPORTED_INTERVAL.json');
    expect(await scene.recorded()).toEqual([name]);
    const saved = JSON.parse(await readFile(join(scene.recordings, name), 'utf8'));
    expect(saved).toEqual({ status: 422, body });

    const second = await scene.record({ workspace: 'fresh', accounts: 'none' });
    expect(scene.fake.requests).toHaveLength(1);
    expect(second).toMatchObject({ exitCode: 1, summary: { errorCode: 'CHART_API_FAILED' } });
    expect(second.summary.failures).toEqual(first.summary.failures);
    expect(second.summary.failures).toMatchObject([
      { message: expect.stringContaining('interval: must be a supported interval') },
    ]);
  });
});

describe('what is refused', () => {
  test('a missing recording without accounts: the step is left as it was', async ({
    onTestFinished,
  }) => {
    const scene = await LiveScene.in(onTestFinished, [FIRST]);
    await scene.record({ workspace: 'one' });
    await scene.ask([FIRST, SECOND]);
    const before = await filesIn(scene.cwd);
    const run = await scene.record({ workspace: 'two', accounts: 'none' });
    expect(run.exitCode, run.stderr).toBe(2);
    expect(run.summary.message).toContain('--accounts-config-path');
    expect(scene.fake.requests).toHaveLength(1);
    // The run is brought into the workspace before anybody can know what its step needs.
    const { inside, others } = splitBy('two', await filesIn(scene.cwd));
    expect(others).toEqual(before);
    const documents = ['flow_run_imports', 'flow_runs'].map((folder) => `${folder}/${RUN_FILE}`);
    const files = Object.keys(inside)
      .filter((name) => name.endsWith('.json'))
      .sort();
    expect(files).toEqual(documents.map((name) => `two/firestore/${name}`));
    const given = JSON.parse(await readFile(join(scene.cwd, 'flow_run.json'), 'utf8'));
    const step = await scene.workspace('two').step(LIVE_RUN_ID, LIVE_STEP_ID);
    expect(step).toEqual(given.steps[LIVE_STEP_ID]);
  });

  test('real mode without accounts, before anything is touched', async ({ onTestFinished }) => {
    const scene = await LiveScene.in(onTestFinished, [FIRST]);
    const before = await filesIn(scene.cwd);
    const run = await scene.finish({ accounts: 'none' });
    expect(run.exitCode, run.stderr).toBe(2);
    expect(run.summary.message).toContain('--accounts-config-path');
    expect(await filesIn(scene.cwd)).toEqual(before);
  });

  test.for([
    { env: { TDA_ENV: 'prod' }, flags: [], says: 'TDA_ENV' },
    { env: { TDA_ENV: 'production' }, flags: [], says: 'TDA_ENV' },
    { env: { ENV: 'PROD' }, flags: [], says: 'ENV' },
    { env: {}, flags: ['--fixtures-dir', 'node_modules/a/fixtures'], says: 'installed package' },
  ])('$env $flags', async ({ env, flags, says }, { onTestFinished }) => {
    const scene = await LiveScene.in(onTestFinished, [FIRST]);
    const before = await filesIn(scene.cwd);
    const run = await scene.record({ env, flags });
    expect(run.exitCode, run.stderr).toBe(2);
    expect(run.summary.message).toContain(says);
    expect(scene.fake.requests).toEqual([]);
    expect(await filesIn(scene.cwd)).toEqual(before);
  });
});

test.for([
  { call: 'writing', at: 1 },
  { call: 'renaming', at: 2 },
])(
  'a disk that refuses at $call: no half recording, the chart is stored, a warning says so',
  async ({ at }, { onTestFinished }) => {
    const scene = await LiveScene.in(onTestFinished, [FIRST]);
    const env = { FAIL_WITH: 'ENOSPC', CRASH_AT: String(at), CRASH_UNDER: scene.recordings };
    const run = await scene.record({ preload: [CRASH_AT], env });
    expect(run, run.stderr).toMatchObject({ exitCode: 0, summary: { itemsCount: 1 } });
    expect(eventsOf(run.log, 'recording_not_saved')).toMatchObject([
      { severity: 'WARNING', message: expect.stringContaining(nameOf(FIRST)) },
    ]);
    expect(await scene.recorded()).toEqual([]);
    const [item] = run.summary.items;
    expect((await scene.workspace().object(String(item?.pngGcsUri))).length).toBe(item?.bytes);
  },
);

/** Files inside of a folder, and the others. */
function splitBy(folder: string, files: Readonly<Record<string, string>>) {
  const isInside = ([name]: readonly [string, string]) => name.startsWith(`${folder}/`);
  const entries = Object.entries(files);
  return {
    inside: Object.fromEntries(entries.filter(isInside)),
    others: Object.fromEntries(entries.filter((entry) => !isInside(entry))),
  };
}
