import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { bundled } from '../../src/config/bundled.js';
import type { ChartsOutputsManifest, ManifestItem } from '../../src/contracts/documents.js';
import { validateManifest } from '../../src/contracts/validate.js';
import { flowRun, jsonFile, runCli } from '../support/cli-run.js';
import { summaryOn } from '../support/cli-workspace.js';
import {
  LIBRARY_ACCOUNT,
  LIBRARY_SCENES,
  type LibraryScene,
} from '../support/live-library-scene.js';

const CHARTS = ['ctpl_price_ma1226_vol_v1', 'ctpl_price_psar_adi_v1'];
const CACHED = ['--cache-ttl', '5m'];
const COLLECTIONS = ['chart_cache', 'chart_leases', 'chart_snapshots'];

/** A step of both charts in a run of its own, done as the flags say. */
async function doStep(scene: LibraryScene, runId: string, ...flags: string[]) {
  const requests = CHARTS.map((chartTemplateId) => ({ chartTemplateId }));
  const file = await jsonFile(scene.cwd, `${runId}.json`, flowRun({ runId, inputs: { requests } }));
  const create = scene.name === 'gcp' ? ['--create-flow-run'] : [];
  const { exitCode, stdout, stderr } = await runCli(
    [
      ...['run-local', '--flow-run-path', file, '--charts-api-mode', 'real', '--yes'],
      ...['--templates-dir', bundled.templates, '--output-summary', 'json'],
      ...[...scene.flags, ...create, ...flags],
    ],
    { cwd: scene.cwd, env: scene.env },
  );
  expect(exitCode, stderr).toBe(0);
  return summaryOn(stdout);
}

async function manifestOf(scene: LibraryScene, uri: string | null) {
  const body = await scene.object(String(uri));
  const checked = validateManifest(JSON.parse(body.toString()));
  if (!checked.ok) throw new Error(checked.errors.join('; '));
  return checked.value;
}

function factsOf({ items }: ChartsOutputsManifest, fact: (item: ManifestItem) => unknown) {
  return items.map(fact);
}

const A = '20251221-120000_BTCUSDT_aaa';
const B = '20251221-120000_BTCUSDT_bbb';

for (const { name, open, skip } of LIBRARY_SCENES) {
  describe.skipIf(skip)(`a step with the cache on ${name}`, () => {
    test('done again by --replay makes no call; with --refresh it does', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished, {});
      await doStep(scene, A, ...CACHED);
      const first = await doStep(scene, A, ...CACHED, '--replay');
      const again = await doStep(scene, A, ...CACHED, '--replay');
      expect(scene.fake.requests).toHaveLength(2);
      expect(await scene.usage()).toMatchObject({ usageToday: 2 });
      for (const { outputsManifestGcsUri: uri } of [first, again]) {
        const manifest = await manifestOf(scene, uri);
        expect(factsOf(manifest, ({ meta }) => meta?.source)).toEqual(['cache', 'cache']);
        expect(manifest.failures).toEqual([]);
      }
      // What the step stored itself it need not copy.
      expect(await scene.pictures()).toHaveLength(2);
      expect(await scene.count('chart_snapshots')).toBe(2);

      const anew = await doStep(scene, A, ...CACHED, '--replay', '--refresh');
      expect(scene.fake.requests).toHaveLength(4);
      const manifest = await manifestOf(scene, anew.outputsManifestGcsUri);
      expect(factsOf(manifest, ({ meta }) => meta?.source)).toEqual(['chart-img', 'chart-img']);
    });

    test('copies the pictures of another step under its own name, as old as they are', async ({
      onTestFinished,
    }) => {
      // Nothing is left for a second step, which needs nothing.
      const accounts = [{ ...LIBRARY_ACCOUNT, dailyLimit: 2 }];
      const scene = await open(onTestFinished, { accounts });
      const one = await doStep(scene, A, ...CACHED);
      const other = await doStep(scene, B, ...CACHED);
      expect(scene.fake.requests).toHaveLength(2);
      const [original, copy] = await Promise.all(
        [one, other].map(({ outputsManifestGcsUri: uri }) => manifestOf(scene, uri)),
      );
      if (!original || !copy) throw new Error('a manifest is missing');
      const rendered = ({ generatedAt, meta }: ManifestItem) => [generatedAt, meta?.sha256];
      expect(factsOf(copy, rendered)).toEqual(factsOf(original, rendered));
      for (const { png_gcs_uri: uri, meta } of copy.items) {
        expect(uri).toContain(`/charts/${B}/`);
        const sha256 = createHash('sha256')
          .update(await scene.object(uri))
          .digest('hex');
        expect(sha256).toBe(meta?.sha256);
      }
      expect(await scene.count('chart_snapshots')).toBe(4);
    });

    test('and charts on demand have the same pictures', async ({ onTestFinished }) => {
      const scene = await open(onTestFinished, {});
      const [template = ''] = CHARTS;
      const of = ['--symbol', 'BTCUSDT', '--timeframe', '1h', '--template', template, '--json'];
      const how = ['--charts-api-mode', 'real', '--templates-dir', bundled.templates];
      const generate = async () => {
        const argv = ['charts', 'generate', ...of, ...how, ...scene.flags];
        return JSON.parse((await runCli(argv, scene)).stdout).charts[0].source;
      };
      expect(await generate()).toBe('chart-img');
      const { outputsManifestGcsUri: uri } = await doStep(scene, A, ...CACHED);
      const manifest = await manifestOf(scene, uri);
      expect(factsOf(manifest, ({ meta }) => meta?.source)).toEqual(['cache', 'chart-img']);
      expect(await generate()).toBe('cache');
      expect(scene.fake.requests).toHaveLength(2);
    });

    test('two at the same time make each call once', async ({ onTestFinished }) => {
      const scene = await open(onTestFinished, { latencyMs: 200 });
      await Promise.all([doStep(scene, A, ...CACHED), doStep(scene, B, ...CACHED)]);
      expect(scene.fake.requests).toHaveLength(2);
      // Each had reserved its units, and gave back what the other spent.
      expect(await scene.usage()).toMatchObject({ usageToday: 2 });
    });

    test('renders what is too old, or is no longer there', async ({ onTestFinished }) => {
      const scene = await open(onTestFinished, {});
      const first = await doStep(scene, A, ...CACHED);
      await doStep(scene, B, '--cache-ttl', '0.001s');
      expect(scene.fake.requests).toHaveLength(4);

      const { items } = await manifestOf(scene, first.outputsManifestGcsUri);
      for (const { png_gcs_uri: uri } of items) await scene.remove(uri);
      const second = await doStep(scene, B, '--replay', ...CACHED);
      const { items: copied } = await manifestOf(scene, second.outputsManifestGcsUri);
      expect(copied.map(({ meta }) => meta?.source)).toEqual(['cache', 'cache']);
      for (const { png_gcs_uri: uri } of copied) await scene.remove(uri);
      const third = await doStep(scene, A, '--replay', ...CACHED);
      const { items: anew } = await manifestOf(scene, third.outputsManifestGcsUri);
      expect(anew.map(({ meta }) => meta?.source)).toEqual(['chart-img', 'chart-img']);
      expect(scene.fake.requests).toHaveLength(6);
      const { itemsCount } = await doStep(scene, B, '--replay', ...CACHED);
      expect([itemsCount, scene.fake.requests.length]).toEqual([2, 6]);
    });

    test('off, as it is by itself, leaves nothing behind and calls every time', async ({
      onTestFinished,
    }) => {
      const scene = await open(onTestFinished, {});
      await doStep(scene, A);
      await doStep(scene, A, '--replay', '--cache-ttl', '0');
      expect(scene.fake.requests).toHaveLength(4);
      expect(await Promise.all(COLLECTIONS.map(scene.count))).toEqual([0, 0, 0]);
    });
  });
}
