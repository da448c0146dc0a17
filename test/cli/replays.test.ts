import { copyFile, cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bundled } from '../../src/config/bundled.js';
import type { ChartsOutputsManifest } from '../../src/contracts/documents.js';
import { emptyFolder, jsonFile, runCli } from '../support/cli-run.js';
import { filesIn } from '../support/cli-workspace.js';
import { whyNoEmulator } from '../support/firestore-emulator.js';
import {
  ACCOUNT,
  FIVE_FILE,
  FIVE_RUN,
  FIVE_STEP,
  PLACES,
  type Place,
  withOneFailing,
} from '../support/replay-place.js';

const MA = 'ctpl_price_ma1226_vol_v1';
const RSI = 'ctpl_price_rsi14_stochrsi_v1';
const LATER = 'ctpl_comes_later';
const ID = ['--run-id', FIVE_RUN, '--step-id', FIVE_STEP];

async function manifestOf(place: Place, uri: string | null): Promise<ChartsOutputsManifest> {
  return JSON.parse(await place.object(uri ?? ''));
}

function drawn(log: readonly Record<string, unknown>[]): unknown[] {
  return log
    .filter(({ event }) => event === 'chart_api_call_start')
    .map(({ chartTemplateId }) => chartTemplateId)
    .sort();
}

for (const backend of ['local', 'gcp'] as const) {
  const skipped = backend === 'gcp' ? whyNoEmulator : '';
  describe.skipIf(skipped)(`replays on ${backend} ${skipped}`, { concurrent: true }, () => {
    async function done(onTestFinished: (undo: () => Promise<void>) => void) {
      const place = await PLACES[backend](onTestFinished);
      const create = backend === 'gcp' ? ['--create-flow-run'] : [];
      const first = await place.run('--flow-run-path', FIVE_FILE, ...create);
      expect(first.exitCode).toBe(0);
      return { place, first: await manifestOf(place, first.summary.outputsManifestGcsUri) };
    }

    test('the stored run is the input, no file is needed', async ({ onTestFinished, expect }) => {
      const { place } = await done(onTestFinished);
      const noop = await place.run(...ID);
      expect(noop.exitCode).toBe(0);
      expect(noop.summary).toMatchObject({ status: 'SUCCEEDED', noop: true });
      const again = await place.run(...ID, '--replay');
      expect(again.exitCode).toBe(0);
      expect(again.summary).toMatchObject({ status: 'SUCCEEDED', noop: false, itemsCount: 5 });
    });

    test('a run that is not stored is exit 2, and nothing is written', async ({
      onTestFinished,
      expect,
    }) => {
      const place = await PLACES[backend](onTestFinished);
      const { exitCode, summary } = await place.run(...ID, '--replay');
      expect(exitCode).toBe(2);
      expect(summary.message).toMatch(
        /there is no flow run .* in (the workspace \/|Firestore database \(default\): .*--create-flow-run).*/,
      );
      expect(await filesIn(place.cwd)).toEqual({});
      expect(await place.objects()).toEqual([]);
    });

    test('--only renders what it names and keeps the rest', async ({ onTestFinished, expect }) => {
      const { place, first } = await done(onTestFinished);
      const { exitCode, summary, log } = await place.run(
        ...ID,
        '--replay',
        '--only',
        `${MA},${RSI}`,
      );
      expect(exitCode).toBe(0);
      expect(drawn(log)).toEqual([MA, RSI]);
      const second = await manifestOf(place, summary.outputsManifestGcsUri);
      expect(second.items.map(({ chartTemplateId }) => chartTemplateId)).toEqual(
        first.items.map(({ chartTemplateId }) => chartTemplateId),
      );
      for (const [index, item] of second.items.entries()) {
        const isAnew = item.chartTemplateId === MA || item.chartTemplateId === RSI;
        if (isAnew) expect(item.png_gcs_uri).not.toBe(first.items[index]?.png_gcs_uri);
        else expect(item).toEqual(first.items[index]);
      }
      const step = (await place.flowRun()).steps[FIVE_STEP];
      expect(step).toMatchObject({ status: 'SUCCEEDED' });
    });

    test('--only-failed renders what failed; where nothing did, there is nothing to do', async ({
      onTestFinished,
      expect,
    }) => {
      const place = await PLACES[backend](onTestFinished);
      const file = await withOneFailing(place, LATER);
      const create = backend === 'gcp' ? ['--create-flow-run'] : [];
      const first = await place.run('--flow-run-path', file, ...create);
      expect(first.summary).toMatchObject({ itemsCount: 5, failuresCount: 1 });
      const still = await place.run(...ID, '--replay', '--only', MA);
      expect(still.summary).toMatchObject({ itemsCount: 5, failuresCount: 1 });
      expect(still.summary.failures).toEqual(first.summary.failures);
      expect(drawn(still.log)).toEqual([MA]);

      const templates = join(place.cwd, 'templates');
      await cp(bundled.templates, templates, { recursive: true });
      const model = JSON.parse(await readFile(join(templates, `${MA}.json`), 'utf8'));
      await jsonFile(templates, `${LATER}.json`, { ...model, id: LATER });
      const fixtures = join(place.cwd, 'recorded');
      await cp(bundled.fixtures, fixtures, { recursive: true });
      await copyFile(
        join(fixtures, `BINANCE_BTCUSDT__1d__${MA}.png`),
        join(fixtures, `BINANCE_BTCUSDT__1d__${LATER}.png`),
      );
      const inputs = ['--templates-dir', templates, '--fixtures-dir', fixtures];
      const mended = await place.run(...ID, '--replay', '--only-failed', ...inputs);
      expect(mended.summary).toMatchObject({ itemsCount: 6, failuresCount: 0 });
      expect(drawn(mended.log)).toEqual([LATER]);

      const nothing = await place.run(...ID, '--replay', '--only-failed', ...inputs);
      expect(nothing.exitCode).toBe(3);
      expect(nothing.summary.message).toMatch(/no chart of step .* failed; nothing to do/);
    });

    test('what cannot be kept is refused before anything is written', async ({
      onTestFinished,
      expect,
    }) => {
      const { place, first } = await done(onTestFinished);
      const refused = async (flags: string[], words: RegExp) => {
        const [run, objects] = [await place.flowRun(), await place.objects()];
        const { exitCode, summary } = await place.run(...ID, '--replay', ...flags);
        expect(summary).toMatchObject({ status: null, errorCode: 'CONFIG_ERROR' });
        expect(exitCode).toBe(2);
        expect(summary.message).toMatch(words);
        expect([await place.flowRun(), await place.objects()]).toEqual([run, objects]);
      };
      await refused(['--only', 'ctpl_other'], /does not ask for ctpl_other; it asks for ctpl_/);
      const gone = first.items.find(({ chartTemplateId }) => chartTemplateId === RSI);
      await place.remove(gone?.png_gcs_uri ?? '');
      await refused(['--only', MA], new RegExp(`no usable chart of ${RSI}; name it in --only too`));
      // The remedy, followed.
      const mended = await place.run(...ID, '--replay', '--only', `${MA},${RSI}`);
      expect(mended.summary).toMatchObject({ status: 'SUCCEEDED', itemsCount: 5 });
      await place.remove(`gs://${place.bucket}/charts/${FIVE_RUN}/${FIVE_STEP}/manifest.json`);
      await refused(['--only', MA], /has no manifest .* leave --only and --only-failed out/);
    });

    test('--scratch leaves the flow run as it is and its objects apart', async ({
      onTestFinished,
      expect,
    }) => {
      const { place } = await done(onTestFinished);
      const [run, objects] = [await place.flowRun(), await place.objects()];
      const { exitCode, summary } = await place.run(...ID, '--scratch');
      expect(exitCode).toBe(0);
      const folder = `scratch/\\d{8}-\\d{6}/${FIVE_RUN}/${FIVE_STEP}/`;
      expect(summary.outputsManifestGcsUri).toMatch(
        new RegExp(`^gs://${place.bucket}/${folder}manifest.json$`),
      );
      const manifest = await manifestOf(place, summary.outputsManifestGcsUri);
      expect(manifest.items).toHaveLength(5);
      for (const { png_gcs_uri: uri } of manifest.items) {
        expect(uri).toMatch(new RegExp(`^gs://${place.bucket}/${folder}\\d{8}-\\d{6}_BTCUSDT_1d_`));
        expect(await place.object(uri)).toContain('PNG');
      }
      expect(await place.flowRun()).toEqual(run);
      const apart = (await place.objects()).filter((name) => !name.startsWith('scratch/'));
      expect(apart).toEqual(objects);
      expect((await place.objects()).length).toBe(objects.length + 6);
    });

    test('--scratch does not mind who is at work on the step', async ({
      onTestFinished,
      expect,
    }) => {
      const { place } = await done(onTestFinished);
      const run = await place.flowRun();
      const step = { ...run.steps[FIVE_STEP], status: 'RUNNING' };
      const running = { ...run, steps: { ...run.steps, [FIVE_STEP]: step } };
      await place.put(running);
      const { exitCode } = await place.run(...ID, '--scratch');
      expect(exitCode).toBe(0);
      expect(await place.flowRun()).toEqual(running);
    });
  });
}

test('--scratch of a file that the workspace does not have imports nothing', async ({
  onTestFinished,
}) => {
  const place = await PLACES.local(onTestFinished);
  const { exitCode, summary } = await place.run('--flow-run-path', FIVE_FILE, '--scratch');
  expect(exitCode).toBe(0);
  expect(summary).toMatchObject({ status: 'SUCCEEDED', itemsCount: 5 });
  await expect(place.flowRun()).rejects.toMatchObject({ code: 'ENOENT' });
});

test('--scratch counts its quota', async ({ onTestFinished }) => {
  const place = await PLACES.local(onTestFinished);
  const accounts = await jsonFile(place.cwd, 'accounts.json', [ACCOUNT]);
  const paid = ['--accounts-config-path', accounts];
  await place.run('--flow-run-path', FIVE_FILE, ...paid);
  const before = await place.unitsUsed();
  const real = await place.run(...ID, '--replay', ...paid);
  expect(real.exitCode).toBe(0);
  const each = Number(await place.unitsUsed()) - Number(before);
  await place.run(...ID, '--scratch', ...paid);
  expect(await place.unitsUsed()).toBe(Number(before) + 2 * each);
});

describe('flags that do not go together', () => {
  test.for([
    [['--only', MA], /belong to --replay/],
    [['--only-failed'], /belong to --replay/],
    [['--replay', '--only', MA, '--only-failed'], /exclude each other/],
    [['--replay', '--only', '../x,,a b'], /"\.\.\/x", "", "a b" is no chart template id/],
    [['--scratch', '--replay'], /--scratch goes without --replay/],
    [['--flow-run-path', FIVE_FILE], /--flow-run-path and --run-id exclude each other/],
  ] as const)('%j', async ([flags, words], { onTestFinished }) => {
    const place = await PLACES.local(onTestFinished);
    const { exitCode, summary } = await place.run(...ID, ...flags);
    expect(exitCode).toBe(2);
    expect(summary.message).toMatch(words);
    expect(await filesIn(place.cwd)).toEqual({});
  });
});

test('a real replay without a terminal wants --yes, before anything is opened', async ({
  onTestFinished,
}) => {
  const cwd = await emptyFolder(onTestFinished);
  const argv = ['run-local', ...ID, '--replay', '--backend', 'gcp', '--charts-bucket', 'my-charts'];
  const { exitCode, stderr } = await runCli([...argv, '--log-format', 'pretty'], { cwd });
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/no terminal to ask on: look with --dry-run, then add --yes/);
  expect(stderr).not.toMatch(/credentials/);
});
