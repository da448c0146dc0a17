import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gsUri, pngName } from '../../src/artifacts/object-names.js';
import { wholePngSize } from '../../src/chart-img/png.js';
import type {
  ChartsOutputsManifest,
  ManifestFailure,
  ManifestItem,
} from '../../src/contracts/documents.js';
import { buildReport, type ReportInput } from '../../src/report/build-report.js';

export const BUCKET = 'charts-bucket';
const NOW = new Date('2026-11-24T12:05:00.000Z');
const GENERATED_AT = '2026-11-24T12:00:01.093Z';

const FIXTURES = fileURLToPath(new URL('../../fixtures', import.meta.url));

/** The reference set with what its templates say of themselves. */
export const KINDS = {
  ctpl_price_ma1226_vol_v1: 'price + MA12/26 + Volume',
  ctpl_price_ma1226_bb_macd1226_v1: 'price + MA12/26 + bollinger bands + MACD12/26',
  ctpl_price_rsi14_stochrsi_v1: 'price + Relative Strength Index 14 + Stochastic RSI 14/3',
  ctpl_price_psar_adi_v1: 'price + Parabolic SAR + Average Directional Index',
  ctpl_price_vpvr_obv_v1: 'price + Volume Profile Visible Range + On Balance Volume',
} as const;

export const SAMPLE_IDS = Object.keys(KINDS) as readonly (keyof typeof KINDS)[];

/** A bucket in memory. */
class Bucket {
  readonly bucket = BUCKET;
  readonly objects = new Map<string, Uint8Array>();
  readonly gets: string[] = [];

  async get(name: string) {
    this.gets.push(name);
    const body = this.objects.get(name);
    return body && { name, generation: '1', size: body.length, metadata: {}, body };
  }

  localPath(): string | undefined {
    return undefined;
  }
}

/** One step in the making: charts that came, charts that did not, and the bucket they lie in. */
export class ReportScene {
  readonly bucket = new Bucket();
  manifest: ChartsOutputsManifest;

  constructor(fields: Partial<ChartsOutputsManifest> = {}) {
    this.manifest = {
      schemaVersion: 1,
      runId: '20251221-130000_BTCUSDT_five',
      stepId: 'charts:1D:all',
      createdAt: '2026-11-24T12:00:02.000Z',
      symbol: 'BTCUSDT',
      timeframe: '1d',
      minImages: 1,
      requested: [],
      items: [],
      failures: [],
      ...fields,
    };
  }

  came(chartTemplateId: string, png: Buffer, fields: Partial<ManifestItem> = {}): this {
    const { runId, stepId, symbol, timeframe } = this.manifest;
    const naming = { runId, stepId, symbol, timeframe, chartTemplateId };
    const name = pngName(naming, new Date(GENERATED_AT));
    const size = wholePngSize(png) ?? { width: 1, height: 1 };
    this.bucket.objects.set(name, png);
    this.manifest.requested.push({ chartTemplateId });
    this.manifest.items.push({
      chartTemplateId,
      kind: chartTemplateId,
      generatedAt: GENERATED_AT,
      png_gcs_uri: gsUri(BUCKET, name),
      meta: {
        source: 'chart-img',
        chartImgSymbol: `BINANCE:${symbol}`,
        interval: '1D',
        ...size,
        bytes: png.length,
        sha256: createHash('sha256').update(png).digest('hex'),
      },
      ...fields,
    });
    return this;
  }

  failed(
    chartTemplateId: string,
    code: string,
    message: string,
    details?: ManifestFailure['error']['details'],
  ): this {
    this.manifest.requested.push({ chartTemplateId });
    const error = { code, message, ...(details && { details }) };
    this.manifest.failures.push({ request: { chartTemplateId }, error });
    return this;
  }

  /** The object of an item, counted from 0. */
  objectOf(index: number): string {
    return this.manifest.items[index]?.png_gcs_uri.slice(`gs://${BUCKET}/`.length) ?? '';
  }

  async build(fields: Partial<ReportInput> = {}) {
    const { manifest, bucket } = this;
    const report = await buildReport({ manifest, artifacts: bucket, now: NOW, ...fields });
    return { ...report, text: report.html.toString() };
  }
}

/** A fixture chart, drawn from sample data. */
function samplePng(chartTemplateId: keyof typeof KINDS): Buffer {
  const name = `BINANCE_BTCUSDT__1d__${chartTemplateId}.png`;
  return readFileSync(join(FIXTURES, 'chart-api/chart-img/advanced-chart-v2', name));
}

/** The five reference charts, as many times over as `count` needs. */
export function sampleScene(count = 5, fields: Partial<ChartsOutputsManifest> = {}): ReportScene {
  const scene = new ReportScene(fields);
  for (let index = 0; index < count; index++) {
    const id = SAMPLE_IDS[index % SAMPLE_IDS.length] ?? 'ctpl_price_ma1226_vol_v1';
    const round = Math.floor(index / SAMPLE_IDS.length);
    scene.came(round === 0 ? id : `${id}_${round + 1}`, samplePng(id), { kind: KINDS[id] });
  }
  return scene;
}

/** One failure of each sort that a manifest can hold. */
export function failScene(scene: ReportScene): ReportScene {
  return scene
    .failed(
      'ctpl_quota_v1',
      'CHART_API_LIMIT_EXCEEDED',
      'no account has quota left: Limit Exceeded',
      { httpStatus: 429, providerMessage: 'Limit Exceeded' },
    )
    .failed(
      'ctpl_quota_v2',
      'CHART_API_LIMIT_EXCEEDED',
      'no account has enough quota left today; it begins anew at 00:00 UTC',
    )
    .failed(
      'ctpl_symbol_v1',
      'CHART_API_FAILED',
      'BINANCE:BTCUSDTT 1d: Invalid Symbol; check the symbol BINANCE:BTCUSDTT; it has to be one of its exchange, e.g. BINANCE:BTCUSDT',
      { httpStatus: 422, providerMessage: 'Invalid Symbol' },
    )
    .failed('ctpl_late_v1', 'CHART_API_FAILED', 'BINANCE:BTCUSDT 1d: the step’s 540 s are over', {
      reason: 'deadline',
    })
    .failed(
      'ctpl_missing_v1',
      'CHART_API_MOCK_MISSING',
      'no fixture BINANCE_BTCUSDT__1d__ctpl_missing_v1.png',
    );
}
