import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkTemplate } from '../../src/chart-img/template-check.js';
import { checkAccounts } from '../../src/config/accounts.js';
import { bundled } from '../../src/config/bundled.js';
import type { ChartTemplate, JsonObject } from '../../src/contracts/documents.js';
import { validateChartTemplate, validateManifest } from '../../src/contracts/validate.js';
import { addressRun } from '../../src/engine/flow-run.js';
import { checkInputs, draftCharts } from '../../src/engine/plan.js';
import { runOf, step } from '../support/engine-samples.js';
import { formsOf } from '../support/key-forms.js';
import { sampleScene } from '../support/report-samples.js';
import { anyJson, damaged, fuzz } from './fuzz.js';

const KEY = 'not-a-real-key/+0123456789==';
const TEMPLATES: ChartTemplate[] = readdirSync(bundled.templates).map((file) =>
  JSON.parse(readFileSync(`${bundled.templates}/${file}`, 'utf8')),
);

describe('chart templates', () => {
  const documents = fc.oneof({ weight: 4, arbitrary: damaged(TEMPLATES) }, anyJson());

  test('that are accepted can be asked for, and what is wrong is named', async (context) => {
    await fuzz(context, 2_500, documents, (document) => {
      const checked = validateChartTemplate(document);
      const check = checkTemplate(document, ['BASIC', 'ULTRA']);
      for (const line of [...check.errors, ...check.warnings]) expectOneLine(line);
      if (!checked.ok) {
        expect(checked.errors.length).toBeGreaterThan(0);
        for (const line of checked.errors) expectOneLine(line);
        return;
      }
      const { id } = checked.value;
      const inputs = {
        symbol: 'BTCUSDT',
        timeframe: '1h',
        interval: '1h',
        minImages: 1,
        chartTemplateIds: [id],
      };
      const [draft] = draftCharts(inputs, () => document, 'Etc/UTC');
      if (draft?.kind !== 'draft') throw new Error(`${id} was accepted, and cannot be drafted`);
      const { symbol, interval, timezone, format } = draft.request.body;
      expect(symbol).toBe(checked.value.chartImgSymbolTemplate.replaceAll('{symbol}', 'BTCUSDT'));
      expect([interval, timezone, format]).toEqual(['1h', 'Etc/UTC', 'png']);
    });
  });
});

describe('accounts', () => {
  const account = { id: 'acc-1', apiKey: KEY, plan: 'PRO', dailyLimit: 44, priority: 1, burst: 3 };
  const other = { id: 'acc-2', apiKey: `${KEY}2`, requestsPerSecond: 1 };
  const documents = fc.oneof(
    { weight: 4, arbitrary: damaged([[account], [account, other], [other, account, other]]) },
    anyJson(),
  );

  test('that are accepted can be told apart, and no key is in any word', async (context) => {
    await fuzz(context, 2_500, documents, (document) => {
      const { accounts, problems, warnings } = checkAccounts(document);
      for (const line of [...problems, ...warnings]) {
        expectOneLine(line);
        for (const form of formsOf(KEY)) expect(line).not.toContain(form);
      }
      expect(accounts.length > 0).toBe(problems.length === 0);
      for (const { id, apiKey, dailyLimit = 1, plan } of accounts) {
        expect(id).toMatch(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$/);
        expect(id in {}).toBe(false);
        expect(apiKey).toMatch(/^[\x21-\x7e]+$/);
        expect(Number.isSafeInteger(dailyLimit) && dailyLimit >= 0).toBe(true);
        expect(['BASIC', 'PRO', 'MEGA', 'ULTRA', 'ENTERPRISE', undefined]).toContain(plan);
      }
      for (const field of ['id', 'apiKey'] as const) {
        const values = accounts.map((each) => each[field]);
        expect(new Set(values).size).toBe(values.length);
      }
    });
  });
});

describe('flow runs', () => {
  const steps = { 'charts:1H:a': step(), 'charts:1D:b': step({ dependsOn: ['charts:1H:a'] }) };
  const documents = damaged([runOf(steps).data, runOf({ only: step() }).data]);

  test('are addressed or refused in a line, and inputs that are accepted are whole', async (context) => {
    await fuzz(context, 1_000, documents, (document) => {
      const data = (
        typeof document === 'object' && document !== null ? document : {}
      ) as JsonObject;
      const run = addressRun(data, undefined);
      if ('reason' in run) return expectOneLine(run.message);
      for (const stepId of Object.keys(run.steps)) {
        const checked = checkInputs(run, stepId);
        if ('problems' in checked) {
          for (const line of checked.problems) expectOneLine(line);
          continue;
        }
        const { chartTemplateIds, minImages, symbol } = checked;
        expect(chartTemplateIds.length).toBeGreaterThan(0);
        expect(new Set(chartTemplateIds).size).toBe(chartTemplateIds.length);
        for (const id of chartTemplateIds) expect(id).toMatch(/^[A-Za-z0-9][\w-]{0,79}$/);
        expect(minImages).toBeLessThanOrEqual(chartTemplateIds.length);
        expect(symbol).toMatch(/^[\w.!&-]{1,40}$/);
      }
    });
  });
});

describe('manifests', () => {
  test('that are accepted name nothing outside of a bucket', async (context) => {
    await fuzz(context, 500, damaged([sampleScene().manifest]), (document) => {
      const checked = validateManifest(document);
      if (!checked.ok) return;
      for (const { png_gcs_uri: uri } of checked.value.items)
        expect(uri).toMatch(/^gs:\/\/[^/]+\/.+\.png$/);
    });
  });
});

function expectOneLine(line: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
  expect(line).not.toMatch(/[\n\r\u0000]/);
  expect(line.length).toBeGreaterThan(0);
}
