import { fileURLToPath } from 'node:url';
import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { emptyFolder } from '../support/cli-run.js';
import { Served } from '../support/served.js';

const COMMITTED = fileURLToPath(new URL('../../schemas/openapi.json', import.meta.url));

// `npx vitest run test/serve/openapi.test.ts -u` writes it anew.
test('the document that is served is OpenAPI 3.1, and the one in schemas/', async ({
  onTestFinished,
}) => {
  const served = await Served.start(onTestFinished, { cwd: await emptyFolder(onTestFinished) });
  const document = JSON.parse(await (await served.get('/openapi.json')).text());
  expect(await new Validator().validate(structuredClone(document))).toEqual({ valid: true });
  expect(document).toMatchObject({ openapi: '3.1.0' });
  const routes = Object.entries<object>(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(routes.sort()).toEqual([
    'DELETE /api/charts/snapshots/{id}',
    'GET /api/charts/config/{symbol}',
    'GET /api/charts/snapshots',
    'GET /api/charts/snapshots/{id}',
    'GET /api/charts/snapshots/{id}/image',
    'GET /api/charts/usage',
    'GET /healthz',
    'GET /readyz',
    'POST /api/charts/cleanup-expired',
    'POST /api/charts/generate',
    'PUT /api/charts/config/{symbol}',
  ]);
  await expect(`${JSON.stringify(document, null, 2)}\n`).toMatchFileSnapshot(COMMITTED);
});
