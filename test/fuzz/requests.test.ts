import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { Ajv2020, type AnySchema } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { emptyFolder, jsonFile } from '../support/cli-run.js';
import { formsOf } from '../support/key-forms.js';
import { Served, TOKEN } from '../support/served.js';
import { anyJson, damaged, fuzz, HOSTILE } from './fuzz.js';

const KEY = 'not-a-real-key-0123456789';
const OPENAPI = new URL('../../schemas/openapi.json', import.meta.url);

const ORDERS = [
  {
    symbols: ['BTCUSDT'],
    timeframes: ['4h', '1d'],
    chartTemplateId: 'ctpl_price_ma1226_vol_v1',
    trigger: 'alert',
    width: 800,
    generatedBy: 'a test',
    refresh: true,
  },
  { symbols: ['DAX', '^NDX'], timeframes: ['1h'], indicators: ['RSI'], theme: 'dark', height: 600 },
];
const SYMBOLS = [
  {
    name: 'S&P 500',
    aliases: ['^GSPC'],
    tradingViewSymbol: 'SP:SPX',
    enabled: true,
    assetClass: 'index',
    timeframes: ['1h', '4h'],
    defaultIndicators: ['RSI'],
  },
];

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

const hostileText = fc.oneof(
  fc.constantFrom(...HOSTILE.map(String), '%', '%2e%2e%2f', '%00', '%ff', TOKEN, KEY),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom('DAX', '^GDAXI', '4h', '20', '8230052784999_DAX_4h_ctpl_a_b766cd89'),
);
/** Now and then as it is, which is no URL. */
const segment = fc
  .tuple(hostileText, fc.nat(9))
  .map(([text, n]) => (n === 0 ? text : encoded(text)));
const path = fc.oneof(
  fc.constantFrom(
    '/api/charts/generate',
    '/api/charts/snapshots',
    '/api/charts/usage',
    '/api/charts/cleanup-expired',
    '/healthz',
    '/readyz',
    '/openapi.json',
  ),
  segment.map((id) => `/api/charts/snapshots/${id}`),
  segment.map((id) => `/api/charts/snapshots/${id}/image`),
  segment.map((symbol) => `/api/charts/config/${symbol}`),
  fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`),
);
const query = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        ...['symbol', 'timeframe', 'limit', 'cursor', 'force', 'purge', 'dryRun', '__proto__', ''],
      ),
      segment,
    ),
    { maxLength: 3 },
  )
  .map((pairs) => pairs.map(([name, value]) => `${name}=${value}`).join('&'));
const headers = fc.record(
  {
    'content-type': fc.constantFrom(
      ...['application/json', 'application/json; charset=x', 'text/plain', 'multipart/form-data'],
      ...['application/x-www-form-urlencoded', '/', 'application/problem+json', ';;;'],
    ),
    accept: fc.constantFrom('application/json', 'text/html', '*/*;q=x'),
    'accept-version': fc.constantFrom('1.0.0', '*', 'x'),
    'accept-encoding': fc.constantFrom('gzip', 'br;q=9'),
    'x-forwarded-for': fc.constantFrom('1.2.3.4', 'x, y'),
    'x-http-method-override': fc.constant('DELETE'),
    'if-none-match': fc.constantFrom('*', '"x"'),
    range: fc.constantFrom('bytes=0-1', 'bytes=9-1'),
    origin: fc.constant('https://evil.example'),
    host: fc.constantFrom('evil.example', ''),
    expect: fc.constant('100-continue'),
    cookie: fc.constant('a=b; __proto__=c'),
  },
  { requiredKeys: [] },
);
const authorization = fc.oneof(
  { weight: 9, arbitrary: fc.constant(`Bearer ${TOKEN}`) },
  fc.constantFrom('Bearer x', `Basic ${TOKEN}`, `Bearer ${TOKEN}\t`, 'Bearer'),
);
const body = fc.oneof(
  { weight: 4, arbitrary: damaged(ORDERS).map((json) => JSON.stringify(json)) },
  { weight: 2, arbitrary: damaged(SYMBOLS).map((json) => JSON.stringify(json)) },
  fc.constantFrom(...ORDERS, ...SYMBOLS).map((json) => JSON.stringify(json)),
  anyJson().map((json) => JSON.stringify(json)),
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc.constantFrom('{"__proto__": {}}', '[', '\u0000', '[['.repeat(20_000), 'x'.repeat(70_000)),
);
const asked: fc.Arbitrary<Asked> = fc
  .record({
    method: fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE') },
      fc.constantFrom('PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'PURGE', 'M-SEARCH'),
    ),
    path,
    query,
    headers,
    authorization: fc.option(authorization, { freq: 10, nil: undefined }),
    body: fc.option(body, { nil: undefined }),
  })
  .map(({ method, path, query, headers, authorization, body }) => ({
    method,
    path: query === '' ? path : `${path}?${query}`,
    headers: { ...headers, ...(authorization !== undefined && { authorization }) },
    body: method === 'TRACE' ? undefined : body,
  }));

test('whatever is asked, the answer is one that the document knows, and holds no secret', async (context) => {
  const cwd = await emptyFolder(context.onTestFinished);
  const accounts = await jsonFile(cwd, 'accounts.json', [{ id: 'acc-1', apiKey: KEY }]);
  const argv = ['--accounts-config-path', accounts];
  const env = { CHARTS_API_TOKEN: TOKEN, CHARTS_API_REQUESTS_PER_MINUTE: '1000000' };
  const served = await Served.start(context.onTestFinished, { cwd, argv, env });
  const isProblem = await problemCheck();
  const secrets = [...formsOf(TOKEN), ...formsOf(KEY)];
  const seen = new Set<number>();
  await fuzz(context, 2_000, asked, async (one) => {
    const { status, head, text } = await answerTo(served.url, one);
    seen.add(status);
    expect(status, text).toBeLessThan(500);
    for (const secret of secrets) expect(head + text).not.toContain(secret);
    if (status >= 400 && one.method !== 'HEAD' && text !== '') {
      expect(head).toContain('application/problem+json');
      const problem = JSON.parse(text);
      expect([problem.status, isProblem(problem)]).toEqual([status, true]);
    }
  });
  // That it was not all in vain.
  expect([...seen]).toEqual(expect.arrayContaining([200, 400, 401, 404, 415, 422]));
  for (const secret of secrets) expect(JSON.stringify(served.log)).not.toContain(secret);
  expect((await readdir(cwd)).sort()).toEqual(['.worker-chart-export', 'accounts.json']);
  expect((await served.get('/readyz')).status).toBe(200);
});

/** By the component of the committed document. */
async function problemCheck(): Promise<(value: unknown) => boolean> {
  const document = JSON.parse(await readFile(OPENAPI, 'utf8'));
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv, ['date-time']);
  ajv.addSchema({ $id: 'openapi', ...document } as AnySchema);
  return (value) => ajv.validate('openapi#/components/schemas/Problem', value);
}

function answerTo(url: string, { method, path, headers, body }: Asked) {
  return new Promise<{ status: number; head: string; text: string }>((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const at = { hostname, port, method, path: sendable(path), agent: false };
    const sent = request({ ...at, headers: { ...headers, ...length } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('error', reject).on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const head = JSON.stringify(answer.rawHeaders);
        resolve({ status: answer.statusCode ?? 0, head, text });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Node sends no control characters, no spaces and nothing beyond latin1 in a path. */
function sendable(path: string): string {
  return path.replaceAll(/[^\u0021-\u00ff]/g, '~');
}

function encoded(text: string): string {
  return encodeURIComponent(text.replaceAll(/\p{Surrogate}/gu, '~'));
}
