import { describe, expect, test } from 'vitest';
import { validateManifest } from '../../src/contracts/validate.js';
import { readMarkup } from '../support/markup.js';
import {
  BUCKET,
  failScene,
  type ReportScene,
  SAMPLE_IDS,
  sampleScene,
} from '../support/report-samples.js';
import { smallPng } from '../support/small-png.js';

const FOLDER = `gs://${BUCKET}/charts/20251221-130000_BTCUSDT_five/charts:1D:all/`;

async function read(scene: ReportScene, fields: Parameters<ReportScene['build']>[0] = {}) {
  const { text: page, unshown } = await scene.build(fields);
  const { text, attributes } = readMarkup(page);
  const valuesOf = (element: string, name: string) =>
    attributes.flatMap(([tag, key, value]) => (tag === element && key === name ? [value] : []));
  return { page, text: text.replaceAll(/\s+/g, ' '), unshown, valuesOf };
}

/** The parts of a text stand in it one after the other. */
function expectInOrder(text: string, parts: readonly string[]): void {
  let from = 0;
  for (const part of parts) {
    const at = text.indexOf(part, from);
    expect(at, `${part} after ${from}`).toBeGreaterThanOrEqual(0);
    from = at + part.length;
  }
}

test('the samples are manifests', () => {
  expect(validateManifest(failScene(sampleScene()).manifest)).toMatchObject({ ok: true });
});

describe('the verdict', () => {
  test.each([
    [3, 3, 'SUCCEEDED 3 of 3 charts came, 3 were needed.'],
    [3, 0, 'SUCCEEDED 3 of 3 charts came, 0 were needed.'],
    [1, 1, 'SUCCEEDED 1 of 1 chart came, 1 was needed.'],
    [2, 3, 'FAILED 2 of 2 charts came, 3 were needed.'],
    [0, 1, 'FAILED 0 of 0 charts came, 1 was needed.'],
    [0, 0, 'SUCCEEDED 0 of 0 charts came, 0 were needed.'],
  ])('%i charts, %i needed', async (count, minImages, words) => {
    const { text } = await read(sampleScene(count, { minImages }));
    expect(text).toContain(words);
    const [verdict] = words.split(' ');
    expect(text).toContain(`BTCUSDT 1d ${verdict} · charts:1D:all · 20251221-130000_BTCUSDT_five`);
  });
});

test('charts and requests stand in the order of the manifest', async () => {
  const scene = sampleScene(2);
  scene.failed('ctpl_lost_v1', 'CHART_API_FAILED', 'HTTP 500');
  scene.came('ctpl_last_v1', smallPng(), { kind: 'the last one' });
  const { text, valuesOf } = await read(scene);
  const [first = '', second = ''] = SAMPLE_IDS;
  expectInOrder(text, ['Charts', first, second, 'ctpl_last_v1', 'What was asked for']);
  expectInOrder(text.slice(text.indexOf('What was asked for')), [
    `1${first}price + MA12/26 + Volume`,
    `2${second}price + MA12/26 + bollinger bands + MACD12/26`,
    '3ctpl_lost_v1Chart-IMG gave no chart',
    '4ctpl_last_v1the last one',
  ]);
  expect(valuesOf('a', 'href').filter((href) => href.startsWith('#'))).toEqual([
    '#chart-1',
    '#chart-2',
    '#failure-1',
    '#chart-3',
  ]);
  expect(valuesOf('figure', 'id')).toEqual(['chart-1', 'chart-2', 'chart-3']);
});

test('a request that the manifest forgot is not left out', async () => {
  const scene = sampleScene(1);
  scene.manifest.requested.push({ chartTemplateId: 'ctpl_forgotten_v1' });
  expect((await read(scene)).text).toContain('2ctpl_forgotten_v1The manifest does not say');
});

test('a label says what the reader wants to trust a chart by', async () => {
  const { text, valuesOf } = await read(sampleScene(1));
  const sha256 = '54657661d17e';
  expectInOrder(text, [
    'price + MA12/26 + Volume',
    'ctpl_price_ma1226_vol_v1',
    'ShowsBINANCE:BTCUSDT, 1D',
    'Size800 × 600 px, 33 kB',
    'Drawn24 Nov 2026 12:00:01 UTC',
    'SourceChart-IMG',
    `SHA-256${sha256}File`,
    `${FOLDER}20261124-120001_BTCUSDT_1d_ctpl_price_ma1226_vol_v1.png`,
  ]);
  expect(valuesOf('img', 'alt')).toEqual(['BTCUSDT 1d: price + MA12/26 + Volume']);
  expect([valuesOf('img', 'width'), valuesOf('img', 'height')]).toEqual([['800'], ['600']]);
  expect(valuesOf('time', 'datetime')).toContain('2026-11-24T12:00:01.093Z');
});

test('an item without meta says what was measured; a label is shown', async () => {
  const scene = sampleScene(1);
  for (const item of scene.manifest.items) {
    delete item.meta;
    item.label = 'the morning one';
  }
  const { text } = await read(scene);
  expect(text).toContain('Size800 × 600 px, 33 kB');
  expect(text).toContain('the morning one');
  expect(text).not.toMatch(/Shows|Source|undefined/);
});

test('samples are not passed off as live', async () => {
  const scene = sampleScene(3);
  const makeSample = (index: number) => {
    const meta = scene.manifest.items[index]?.meta;
    if (meta) meta.source = 'fixture';
  };
  expect((await read(scene)).text).not.toContain('sample');
  makeSample(1);
  expect((await read(scene)).text).toContain('1 chart of 3 is a recorded sample, not live.');
  makeSample(0);
  makeSample(2);
  const { text } = await read(scene);
  expect(text).toContain('Every chart is a recorded sample, not a live one.');
  expect(text.match(/Sourcerecorded sample/g)).toHaveLength(3);
});

describe('links', () => {
  test('lead to the bucket on the web', async () => {
    const { valuesOf } = await read(sampleScene(1), { manifestUri: `${FOLDER}manifest.json` });
    const web = `https://storage.googleapis.com/${BUCKET}/charts/20251221-130000_BTCUSDT_five/charts%3A1D%3Aall`;
    expect(valuesOf('a', 'href').filter((href) => !href.startsWith('#'))).toEqual([
      `${web}/manifest.json`,
      `${web}/20261124-120001_BTCUSDT_1d_ctpl_price_ma1226_vol_v1.png`,
    ]);
    expect(valuesOf('a', 'aria-label')).toEqual([
      'Open the manifest',
      'Open the PNG of ctpl_price_ma1226_vol_v1',
    ]);
  });

  test('lead to the file where the bucket is a folder', async () => {
    const scene = sampleScene(1);
    const artifacts = {
      bucket: BUCKET,
      get: (name: string) => scene.bucket.get(name),
      localPath: (name: string) => `/a folder/${name.replaceAll(':', '%3A')}`,
    };
    const { page } = await read(scene, { artifacts });
    expect(page).toContain('href="file:///a%20folder/charts/');
    expect(page).toContain('charts%253A1D%253Aall');
    expect(page).not.toContain('https:');
  });

  test('charts of two folders are named in full, and no folder is told', async () => {
    const scene = sampleScene(1).came('ctpl_b', smallPng(), {
      png_gcs_uri: `gs://${BUCKET}/elsewhere/b.png`,
    });
    const { text } = await read(scene);
    expect(text).not.toContain('Folder');
    expect(text).toContain(`Filegs://${BUCKET}/elsewhere/b.png Open`);
  });
});

describe('a picture that cannot be shown', () => {
  test('leaves a placeholder with the reason, and the caller is told', async () => {
    const scene = sampleScene(3);
    scene.bucket.objects.delete(scene.objectOf(0));
    scene.bucket.objects.set(scene.objectOf(2), smallPng());
    const { text, unshown, valuesOf } = await read(scene);
    const missing = 'The PNG is missing: no such object in the bucket.';
    const changed = 'The PNG was changed: its SHA-256 is not the one in the manifest.';
    expect(valuesOf('img', 'src')).toHaveLength(1);
    expectInOrder(text, [
      '2 pictures of 3 cannot be shown',
      `No picture ${missing}`,
      'Size800 × 600 px, 33 kB',
      `No picture ${changed}`,
    ]);
    expect(unshown).toEqual([
      { chartTemplateId: SAMPLE_IDS[0], reason: missing },
      { chartTemplateId: SAMPLE_IDS[2], reason: changed },
    ]);
  });

  test('is not spoken of where there is none', async () => {
    const { text, unshown } = await read(sampleScene(3));
    expect(unshown).toEqual([]);
    expect(text).not.toMatch(/cannot be shown|No picture/);
  });
});

describe('failures', () => {
  test('stand by reason, with one remedy each, and with what Chart-IMG answered', async () => {
    const { text } = await read(failScene(sampleScene(1)));
    expectInOrder(text, [
      'What failed',
      'No quota was left',
      'CHART_API_LIMIT_EXCEEDED',
      'Wait until 00:00 UTC',
      'ctpl_quota_v1 no account has quota left: Limit Exceeded Chart-IMG answered HTTP 429',
      'ctpl_quota_v2 no account has enough quota left today',
      'Chart-IMG cannot draw this chart',
      'CHART_API_FAILED',
      'ctpl_symbol_v1',
      'Chart-IMG answered HTTP 422',
      'The time for the step was up',
      'ctpl_late_v1',
      'No recorded answer to replay',
      'ctpl_missing_v1 no fixture BINANCE_BTCUSDT__1d__ctpl_missing_v1.png',
      'Charts',
    ]);
    expect(text.match(/Wait until 00:00 UTC/g)).toHaveLength(1);
  });

  test('say what the provider said where the message does not', async () => {
    const scene = sampleScene(1).failed('ctpl_x', 'CHART_API_FAILED', 'no luck', {
      httpStatus: 404,
      providerMessage: 'Not Found',
    });
    scene.failed('ctpl_y', 'CHART_API_FAILED', 'no luck', { providerMessage: 'socket hang up' });
    const { text } = await read(scene);
    expect(text).toContain('no luck Chart-IMG answered HTTP 404: Not Found');
    expect(text).toContain('no luck Chart-IMG said: socket hang up');
  });

  test('are not spoken of where there are none', async () => {
    expect((await read(sampleScene(2))).text).not.toContain('What failed');
  });

  test('alone make a page, too', async () => {
    const { text } = await read(failScene(sampleScene(0)));
    expect(text).toContain('No chart came.');
    expect(text).toContain('FAILED 0 of 5 charts came, 1 was needed.');
  });
});

test('64 charts are one page of the size of their pictures', async () => {
  const scene = sampleScene(64);
  const { html } = await scene.build();
  const bytes = [...scene.bucket.objects.values()].reduce((sum, { length }) => sum + length, 0);
  expect(html.length).toBeGreaterThan((bytes * 4) / 3);
  expect(html.length).toBeLessThan((bytes * 4) / 3 + 64 * 2_500 + 20_000);
});

test('nothing on the page is fetched, and nothing runs', async () => {
  const { page, valuesOf } = await read(failScene(sampleScene()));
  expect(valuesOf('meta', 'content')[0]).toMatch(
    /^default-src 'none'; img-src data:; style-src 'sha256-[\w+/]{43}='; base-uri 'none'; form-action 'none'$/,
  );
  expect(page).not.toMatch(/<script|@import|url\(|<style [^>]|\sstyle=|\son\w+=/);
});
