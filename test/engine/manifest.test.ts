import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ManifestItem } from '../../src/contracts/documents.js';
import { validateManifest } from '../../src/contracts/validate.js';
import { buildManifest } from '../../src/engine/manifest.js';
import type { StepError } from '../../src/engine/outcome.js';
import type { StepInputs } from '../../src/engine/plan.js';
import type { StoredChart } from '../../src/engine/stored-chart.js';
import { RUN_ID } from '../support/engine-samples.js';

const AT = new Date('2025-12-21T12:00:00.123Z');
const META = {
  source: 'chart-img',
  chartImgSymbol: 'BINANCE:BTCUSDT',
  interval: '1h',
  width: 800,
  height: 600,
  bytes: 1_000,
  sha256: 'a'.repeat(64),
} as const;
const FAILED: StepError = { code: 'CHART_API_FAILED', message: 'no' };

function inputsFor(chartTemplateIds: readonly string[], minImages = 1): StepInputs {
  return { symbol: 'BTCUSDT', timeframe: '1H', interval: '1h', minImages, chartTemplateIds };
}

function stored(chartTemplateId: string, fields: Partial<ManifestItem> = {}): StoredChart {
  const item: ManifestItem = {
    chartTemplateId,
    kind: `about ${chartTemplateId}`,
    generatedAt: '2025-12-21T11:59:59.000Z',
    png_gcs_uri: `gs://b/charts/${chartTemplateId}.png`,
    meta: META,
    ...fields,
  };
  return { name: `charts/${chartTemplateId}.png`, item };
}

function manifestOf(
  inputs: StepInputs,
  charts: readonly StoredChart[],
  failed: Readonly<Record<string, StepError>> = {},
) {
  const found = new Map(charts.map((chart) => [chart.item.chartTemplateId, chart]));
  const failures = new Map(Object.entries(failed));
  const identity = { runId: RUN_ID, stepId: 'charts:1H:a' };
  return buildManifest(identity, inputs, { stored: found, failed: failures }, AT);
}

describe('a manifest', () => {
  test('holds these fields and no others', () => {
    const details = { chartTemplateId: 'b', httpStatus: 422 };
    const failed = { b: { ...FAILED, details } };
    expect(manifestOf(inputsFor(['a', 'b']), [stored('a')], failed)).toStrictEqual({
      schemaVersion: 1,
      runId: RUN_ID,
      stepId: 'charts:1H:a',
      createdAt: '2025-12-21T12:00:00.123Z',
      symbol: 'BTCUSDT',
      timeframe: '1H',
      minImages: 1,
      requested: [{ chartTemplateId: 'a' }, { chartTemplateId: 'b' }],
      items: [
        {
          chartTemplateId: 'a',
          kind: 'about a',
          generatedAt: '2025-12-21T11:59:59.000Z',
          png_gcs_uri: 'gs://b/charts/a.png',
          meta: META,
        },
      ],
      failures: [
        {
          request: { chartTemplateId: 'b' },
          error: { code: 'CHART_API_FAILED', message: 'no', details },
        },
      ],
    });
  });

  test('leaves absent what is absent, and keeps empty lists', () => {
    const manifest = manifestOf(inputsFor(['a'], 0), [], { a: FAILED });
    expect(manifest.items).toEqual([]);
    expect(manifest.failures).toStrictEqual([{ request: { chartTemplateId: 'a' }, error: FAILED }]);
    expect(manifestOf(inputsFor(['a']), [stored('a')]).failures).toEqual([]);
    expect(JSON.stringify(manifest)).not.toContain('null');
  });

  test('holds no details that could be changed from outside', () => {
    const details = { httpStatus: 422 };
    const { failures } = manifestOf(inputsFor(['a']), [], { a: { ...FAILED, details } });
    details.httpStatus = 500;
    expect(failures[0]?.error.details).toEqual({ httpStatus: 422 });
  });

  test('is in the order of the requests, whatever the order in which charts came', () => {
    const ids = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}$/), { minLength: 1, maxLength: 12 });
    const scenes = ids.chain((requested) =>
      fc.record({
        requested: fc.constant(requested),
        came: fc.shuffledSubarray(requested),
        turned: fc.shuffledSubarray(requested, { minLength: requested.length }),
      }),
    );
    fc.assert(
      fc.property(scenes, ({ requested, came, turned }) => {
        const failed = turned.filter((id) => !came.includes(id)).map((id) => [id, FAILED] as const);
        const charts = came.map((id) => stored(id));
        const manifest = manifestOf(inputsFor(requested), charts, Object.fromEntries(failed));
        const inOrder = (wanted: readonly string[]) =>
          requested.filter((id) => wanted.includes(id));
        expect(manifest.requested.map((one) => one.chartTemplateId)).toEqual(requested);
        expect(manifest.items.map((one) => one.chartTemplateId)).toEqual(inOrder(came));
        expect(manifest.failures.map(({ request }) => request.chartTemplateId)).toEqual(
          requested.filter((id) => !came.includes(id)),
        );
        expect(validateManifest(JSON.parse(JSON.stringify(manifest)))).toMatchObject({ ok: true });
      }),
    );
  });

  test.each<[string, Partial<ManifestItem>, RegExp]>([
    ['is no time', { generatedAt: 'today' }, /items\[0\]\.generatedAt: /],
    ['is no object of a bucket', { png_gcs_uri: 'https://x/a.png' }, /items\[0\]\.png_gcs_uri: /],
    ['has no bytes', { meta: { ...META, bytes: 0 } }, /items\[0\]\.meta\.bytes: /],
  ])('is never made of what %s', (_what, fields, message) => {
    expect(() => manifestOf(inputsFor(['a']), [stored('a', fields)])).toThrow(message);
  });
});
