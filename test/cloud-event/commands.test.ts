import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { type Ended, flowRun, jsonFile, logLines } from '../support/cli-run.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import { gcpPlace, localPlace, type Place } from '../support/places.js';
import { binaryEvent, structuredObject } from '../support/saved-events.js';
import { share } from '../support/share.js';

const RUN_ID = '20251221-120000_BTCUSDT_demo';
const STEP_ID = 'charts:1H:test';

/** What is told before anything is opened is told on both backends alike: a share of it is enough. */
function sharedOn<T>({ backend }: Place, cases: readonly T[]): readonly T[] {
  return backend === 'local' ? cases : share(cases, 5);
}

const PLACES = [
  ['local', localPlace, ''],
  ['gcp', gcpPlace, whyNoEmulator],
] as const;

/** The one object on stdout. */
function objectOn({ stdout, stderr }: Ended) {
  expect(stdout.split('\n'), stderr).toEqual([expect.stringMatching(/^\{.*\}$/), '']);
  return JSON.parse(stdout);
}

/** A fast machine does what it should have no time for; a process of its own has to load it first. */
function everyLookTakesTime(onTestFinished: (undo: () => void) => void): void {
  const real = systemClock.monotonic();
  let looks = 0;
  const spy = vi.spyOn(systemClock, 'monotonic').mockImplementation(() => real + looks++);
  onTestFinished(() => spy.mockRestore());
}

async function saved(place: Place, changes: object = {}): Promise<void> {
  await jsonFile(place.cwd, 'event.json', { ...structuredObject(RUN_ID), ...changes });
}

function invoke(place: Place, ...flags: string[]): Promise<Ended> {
  return place.cli('invoke-event', '--event-path', 'event.json', '--quiet', ...flags);
}

for (const [name, open, whyNot] of PLACES) {
  describe.skipIf(whyNot)(`invoke-event on ${name} ${whyNot}`, () => {
    test('a structured event: the step is done, and the second time it is done already', async ({
      onTestFinished,
    }) => {
      const place = await open(onTestFinished);
      await place.put(RUN_ID, flowRun());
      await saved(place);
      const first = await invoke(place, '--json');
      expect(first.exitCode).toBe(0);
      expect(objectOn(first)).toEqual({
        answer: 204,
        ignored: null,
        steps: [
          expect.objectContaining({
            status: 'SUCCEEDED',
            runId: RUN_ID,
            stepId: STEP_ID,
            itemsCount: 1,
            backend: place.backend,
            noop: false,
            dryRun: false,
          }),
        ],
      });
      expect(await place.step(RUN_ID, STEP_ID)).toMatchObject({ status: 'SUCCEEDED' });

      const before = await place.everything();
      const second = await invoke(place, '--json');
      expect([second.exitCode, objectOn(second)]).toMatchObject([
        0,
        { answer: 204, steps: [{ status: 'SUCCEEDED', noop: true }] },
      ]);
      expect(await place.everything()).toEqual(before);
    });

    test('a binary event: its headers in one file, its body in another', async ({
      onTestFinished,
    }) => {
      const place = await open(onTestFinished);
      await place.put(RUN_ID, flowRun());
      const { headers, body } = binaryEvent(RUN_ID);
      const asSent = Object.entries(headers).map(([key, value]) => [key.toUpperCase(), value]);
      await jsonFile(place.cwd, 'event.json', Object.fromEntries(asSent));
      await writeFile(join(place.cwd, 'event.bin'), body);
      const { exitCode, stdout } = await invoke(place, '--event-body', 'event.bin');
      expect([exitCode, stdout.split('\n')]).toEqual([
        0,
        [
          expect.stringMatching(/^charts:1H:test {2}CHART_EXPORT SUCCEEDED: .*items=1/),
          'answered 204',
          '',
        ],
      ]);
      expect(await place.step(RUN_ID, STEP_ID)).toMatchObject({ status: 'SUCCEEDED' });
    });

    test('what is no event of ours: exit 2, the reason, and nothing is written', async ({
      onTestFinished,
    }) => {
      const place = await open(onTestFinished);
      await place.put(RUN_ID, flowRun());
      const before = await place.everything();
      const right = structuredObject(RUN_ID);
      const cases = [
        ['{"specversion":', 'its body is not JSON'],
        ['[]', 'its body is no JSON object'],
        [JSON.stringify({ ...right, type: 'x' }), expect.stringMatching(/^its type/)],
        [JSON.stringify({ ...right, subject: 'x' }), expect.stringMatching(/^its subject/)],
        ['{"ce-id":"1","CE-Type":"x"}', expect.stringMatching(/version 1\.0$/)],
        ['{"ce-id":5,"ce-specversion":["1.0"]}', expect.stringMatching(/version 1\.0$/)],
      ] as const;
      for (const [content, ignored] of sharedOn(place, cases)) {
        await writeFile(join(place.cwd, 'event.json'), content);
        const ended = await invoke(place, '--json');
        expect([ended.exitCode, objectOn(ended)]).toEqual([2, { answer: 204, ignored, steps: [] }]);
      }
      const { exitCode, stdout } = await invoke(place);
      expect([exitCode, stdout]).toEqual([2, 'answered 204: it is no CloudEvent of version 1.0\n']);
      expect(await place.everything()).toEqual(before);
    });

    test('wrong files and flags: exit 2, one line and one object', async ({ onTestFinished }) => {
      const place = await open(onTestFinished);
      await saved(place);
      const before = await place.everything();
      const invoked = ['invoke-event', '--json', '--log-format', 'pretty'];
      const cases = [
        [[], /--event-path is required/],
        [['--event-path', 'none.json'], /--event-path: .*none\.json cannot be read/],
        [['--event-path', '.'], /--event-path: .* cannot be read/],
        [['--event-path', 'event.json', '--event-body', 'x'], /--event-body belongs to a binary/],
        [['--event-path', 'event.json', '--timeout', 'x'], /--timeout: "x" is not a number/],
      ] as const;
      for (const [argv, said] of sharedOn(place, cases)) {
        const ended = await place.cli(...invoked, ...argv);
        expect([ended.exitCode, objectOn(ended)]).toEqual([
          2,
          { error: { code: 'CONFIG_ERROR', message: expect.stringMatching(said) } },
        ]);
        expect(ended.stderr).toMatch(said);
        expect(ended.stderr).not.toMatch(/^\s+at /m);
      }
      expect(await place.everything()).toEqual(before);
    });

    test.for([
      ['FAILED', {}, { inputs: { requests: [{ chartTemplateId: 'none' }] } }, [], 1, 204],
      ['blocked', {}, { dependsOn: ['ohlcv'] }, [], 3, 204],
      ['no such run', { subject: `documents/flow_runs/${RUN_ID}x` }, {}, [], 2, 204],
      ['no time for it', {}, {}, ['--timeout', '0.001'], 3, 503],
    ] as const)('%s', async ([, event, step, flags, exitCode, answer], { onTestFinished }) => {
      const place = await open(onTestFinished);
      if (answer === 503) everyLookTakesTime(onTestFinished);
      await place.put(RUN_ID, flowRun(step));
      await saved(place, event);
      const ended = await invoke(place, '--json', ...flags);
      const { steps, ...told } = objectOn(ended);
      expect([ended.exitCode, told]).toEqual([exitCode, { answer, ignored: null }]);
      expect(steps).toMatchObject([{ message: expect.not.stringMatching(/dry run/) }]);
      const status = exitCode === 1 ? 'FAILED' : 'READY';
      expect(await place.step(RUN_ID, STEP_ID)).toMatchObject({ status });
    });
  });

  test.skipIf(whyNot)(
    `a run that is not on ${name}: where it looked`,
    async ({ onTestFinished }) => {
      const place = await open(onTestFinished);
      await place.put(RUN_ID, flowRun());
      await saved(place, { subject: `documents/flow_runs/${RUN_ID}x` });
      const { steps } = objectOn(await invoke(place, '--json'));
      const words =
        /there is no flow run \S+ in (the workspace \/.*--workspace|Firestore database .*--project)/;
      expect(steps).toMatchObject([{ message: expect.stringMatching(words) }]);
    },
  );

  describe.skipIf(whyNot)(`sweep on ${name} ${whyNot}`, () => {
    const OTHER = '20251221-120000_BTCUSDT_other';

    test('does the READY steps of every open run, once', async ({ onTestFinished }) => {
      const place = await open(onTestFinished);
      const closed = '20251221-120000_BTCUSDT_closed';
      await place.put(RUN_ID, flowRun());
      await place.put(OTHER, { ...flowRun({ runId: OTHER }), status: 'PENDING' });
      await place.put(closed, { ...flowRun({ runId: closed }), status: 'SUCCEEDED' });
      const tally = { runs: 2, leasesClosed: 0, runningLong: 0, complete: true };
      const first = await place.cli('sweep', '--json', '--quiet');
      const { steps, ...told } = objectOn(first);
      expect([first.exitCode, told]).toEqual([0, tally]);
      expect(steps).toMatchObject([
        { status: 'SUCCEEDED', runId: RUN_ID },
        { status: 'SUCCEEDED', runId: OTHER },
      ]);
      expect(await place.step(closed, STEP_ID)).toMatchObject({ status: 'READY' });

      const before = await place.everything();
      const second = await place.cli('sweep', '--quiet');
      expect([second.exitCode, second.stdout]).toEqual([
        0,
        '2 open flow runs, 0 steps done or tried, 0 leases closed, 0 steps RUNNING too long\n',
      ]);
      expect(await place.everything()).toEqual(before);
    });

    test('one is one', async ({ onTestFinished }) => {
      const place = await open(onTestFinished);
      await place.put(RUN_ID, flowRun());
      const { stdout, stderr } = await place.cli('sweep', '--log-format', 'json');
      expect(stdout).toMatch(
        /^1 open flow run, 1 step done or tried, 0 leases closed, 0 steps RUNNING too long$/m,
      );
      const told = logLines(stderr).find(({ event }) => event === 'sweep_finished');
      expect(told?.message).toBe('1 open flow run, 1 step done or tried');
    });

    test('a step that fails is exit 1, and the others are done', async ({ onTestFinished }) => {
      const place = await open(onTestFinished);
      const inputs = { requests: [{ chartTemplateId: 'none' }] };
      await place.put(RUN_ID, flowRun({ inputs }));
      await place.put(OTHER, flowRun({ runId: OTHER }));
      const { exitCode, stdout } = await place.cli('sweep', '--quiet');
      expect(exitCode).toBe(1);
      expect(stdout.split('\n')).toEqual([
        expect.stringMatching(/^charts:1H:test {2}CHART_EXPORT FAILED: .*error=VALIDATION_FAILED$/),
        expect.stringMatching(/^charts:1H:test {2}CHART_EXPORT SUCCEEDED: /),
        expect.stringMatching(/^2 open flow runs, 2 steps done or tried/),
        '',
      ]);
    });

    test('without time it is not complete, and says so', async ({ onTestFinished }) => {
      const place = await open(onTestFinished);
      await place.put(RUN_ID, flowRun());
      everyLookTakesTime(onTestFinished);
      const { exitCode, stdout } = await place.cli('sweep', '--quiet', '--timeout', '0.001');
      expect([exitCode, stdout]).toEqual([
        0,
        expect.stringMatching(/, not finished: sweep again\n$/),
      ]);
      expect(await place.step(RUN_ID, STEP_ID)).toMatchObject({ status: 'READY' });
    });

    test('wrong flags are exit 2, one line and one object', async ({ onTestFinished }) => {
      const place = await open(onTestFinished);
      const ended = await place.cli(
        'sweep',
        '--json',
        '--quiet',
        '--charts-bucket',
        '-',
        '--timeout',
        '0',
      );
      expect([ended.exitCode, objectOn(ended)]).toEqual([
        2,
        { error: { code: 'CONFIG_ERROR', message: expect.stringMatching(/--timeout/) } },
      ]);
    });
  });
}
