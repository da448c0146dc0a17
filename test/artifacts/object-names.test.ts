import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  gsUri,
  httpsUrl,
  keptManifestName,
  manifestName,
  pngName,
  scratchRoot,
  stepFolder,
} from '../../src/artifacts/object-names.js';
import { isChartTemplateId, isRunId, isStepId, isSymbol } from '../../src/contracts/ids.js';

const RUN_ID = '20251221-120000_BTCUSDT_demo';
const STEP_ID = 'charts:1H:a';
const NAMING = {
  runId: RUN_ID,
  stepId: STEP_ID,
  symbol: 'BTCUSDT',
  timeframe: '1H',
  chartTemplateId: 'ctpl_a',
};

describe('an object', () => {
  test('has the name that readers know', () => {
    expect(stepFolder(NAMING)).toBe(`charts/${RUN_ID}/charts:1H:a/`);
    expect(manifestName(NAMING)).toBe(`charts/${RUN_ID}/charts:1H:a/manifest.json`);
    expect(keptManifestName(NAMING, '2025-12-21T12:00:00.000Z')).toBe(
      `charts/${RUN_ID}/charts:1H:a/manifest.2025-12-21T12:00:00.000Z.json`,
    );
  });

  test.each([
    ['2025-12-21T09:05:07.999Z', '20251221-090507'],
    ['2025-12-21T23:30:00-02:00', '20251222-013000'],
    ['2026-01-01T00:30:00+01:00', '20251231-233000'],
  ])('that is a chart of %s bears the UTC stamp %s', (time, stamp) => {
    expect(pngName(NAMING, new Date(time))).toBe(
      `charts/${RUN_ID}/charts:1H:a/${stamp}_BTCUSDT_1H_ctpl_a.png`,
    );
  });
});

const runIds = fc.stringMatching(/^[0-9]{8}-[0-9]{6}_[A-Z]{1,3}_[a-z]{3}$/).filter(isRunId);
const stepIds = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9:._-]{0,6}$/).filter(isStepId);
const symbols = fc.stringMatching(/^[A-Za-z0-9._!&-]{1,6}$/).filter(isSymbol);
const templateIds = fc.stringMatching(/^[a-c][a-c_]{0,3}$/).filter(isChartTemplateId);
const steps = fc.record({
  runId: runIds,
  stepId: stepIds,
  symbol: symbols,
  timeframe: fc.constantFrom('1h', '1H', '1m', '1M'),
});
/** Epoch seconds of this and the next years. */
const seconds = fc.integer({ min: 1_750_000_000, max: 2_000_000_000 });
const charts = fc.record({ chartTemplateId: templateIds, at: fc.oneof(fc.nat(3), seconds) });

describe('whatever the ids', () => {
  test('a trial’s objects have a folder of their own', () => {
    const root = scratchRoot(new Date('2025-12-21T12:00:01.999Z'));
    expect(root).toBe('scratch/20251221-120001');
    expect(manifestName({ ...NAMING, root })).toBe(`${root}/${RUN_ID}/charts:1H:a/manifest.json`);
    expect(pngName({ ...NAMING, root }, new Date(0))).toMatch(/^scratch\/20251221-120001\//);
  });

  test('an object is directly in its step’s folder', () => {
    fc.assert(
      fc.property(steps, charts, (step, { chartTemplateId, at }) => {
        const date = new Date(at * 1_000);
        const folder = stepFolder(step);
        for (const name of [
          pngName({ ...step, chartTemplateId }, date),
          manifestName(step),
          keptManifestName(step, date.toISOString()),
        ]) {
          expect(name.startsWith(folder)).toBe(true);
          expect(name.slice(folder.length)).toMatch(/^[^/]+$/);
          expect(new URL(`http://bucket/${name}`).pathname.split('/')).toHaveLength(5);
        }
      }),
    );
  });

  test('two charts of a step, or of two seconds, have two names', () => {
    fc.assert(
      fc.property(steps, charts, charts, (step, a, b) => {
        const nameOf = ({ chartTemplateId, at }: typeof a) =>
          pngName({ ...step, chartTemplateId }, new Date(at * 1_000));
        const same = a.chartTemplateId === b.chartTemplateId && a.at === b.at;
        expect(nameOf(a) === nameOf(b)).toBe(same);
      }),
    );
  });

  test('two steps share no folder', () => {
    fc.assert(
      fc.property(steps, steps, (a, b) => {
        const same = a.runId === b.runId && a.stepId === b.stepId;
        const [first, second] = [a, b].map((step) => stepFolder(step));
        expect(first?.startsWith(second ?? '')).toBe(same);
      }),
    );
  });

  test('a link leads to the very object', () => {
    fc.assert(
      fc.property(steps, charts, (step, { chartTemplateId, at }) => {
        const name = pngName({ ...step, chartTemplateId }, new Date(at * 1_000));
        const { origin, pathname, search, hash } = new URL(httpsUrl(gsUri('my-bucket', name)));
        expect([origin, search, hash]).toEqual(['https://storage.googleapis.com', '', '']);
        expect(decodeURIComponent(pathname)).toBe(`/my-bucket/${name}`);
      }),
    );
  });
});

describe('a link', () => {
  test.each([
    [
      'gs://b/charts/x/charts:1H:a/m.json',
      'https://storage.googleapis.com/b/charts/x/charts%3A1H%3Aa/m.json',
    ],
    ['gs://b/ES1!_M&M.png', 'https://storage.googleapis.com/b/ES1!_M%26M.png'],
    ['gs://b/a b%c#d?e', 'https://storage.googleapis.com/b/a%20b%25c%23d%3Fe'],
  ])('to %s', (uri, url) => {
    expect(httpsUrl(uri)).toBe(url);
  });
});
