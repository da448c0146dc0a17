import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { byToken } from '../../src/serve/admission.js';
import { isLoopback } from '../../src/serve/loopback.js';
import { emptyFolder, jsonFile, runCli } from '../support/cli-run.js';
import { formsOf } from '../support/key-forms.js';
import { Served, TOKEN } from '../support/served.js';

const KEY = 'not-a-real-key-0123456789';

type Cleanup = (undo: () => Promise<void>) => void;

async function serve(onTestFinished: Cleanup, env: Record<string, string> = {}) {
  const cwd = await emptyFolder(onTestFinished);
  const accounts = await jsonFile(cwd, 'accounts.json', [{ id: 'acc-1', apiKey: KEY }]);
  const argv = ['--accounts-config-path', accounts];
  return Served.start(onTestFinished, { cwd, argv, env });
}

/** As fetch cannot: it chooses the host itself. */
function statusOf(url: string, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

describe('with a token', () => {
  test('every route but health wants it, and no answer or log line holds it', async ({
    onTestFinished,
  }) => {
    const served = await serve(onTestFinished, { CHARTS_API_TOKEN: TOKEN });
    const right = { authorization: `Bearer ${TOKEN}` };
    const { paths } = JSON.parse(await (await served.get('/openapi.json', right)).text());
    const routes = Object.entries<object>(paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => ({ method, path: path.replaceAll(/[{}]/g, '') })),
    );
    expect(routes.length).toBeGreaterThan(10);
    let said = '';
    for (const { method, path } of [
      ...routes,
      { method: 'get', path: '/openapi.json' },
      { method: 'get', path: '/no/such/path' },
    ]) {
      for (const authorization of [
        undefined,
        'Bearer',
        `Bearer ${TOKEN.slice(1)}`,
        `Bearer ${TOKEN}x`,
        `Bearer ${TOKEN} ${TOKEN}`,
        `Basic ${Buffer.from(`user:${TOKEN}`).toString('base64')}`,
        TOKEN,
      ]) {
        const answer = await fetch(`${served.url}${path}`, {
          method: method.toUpperCase(),
          headers: authorization === undefined ? {} : { authorization },
        });
        const isOpen = path === '/healthz' || path === '/readyz';
        expect([path, answer.status]).toEqual([path, isOpen ? 200 : 401]);
        if (!isOpen) expect(answer.headers.get('www-authenticate')).toBe('Bearer');
        said += await answer.text();
      }
    }
    // What is said back of a request is masked too.
    const echoed = await served.get(`/api/charts/config/${TOKEN}${KEY}`, right);
    const echo = await echoed.text();
    expect([echoed.status, echo.includes('[key]')]).toEqual([404, true]);
    const noUrl = await served.get(`/api/charts/%?symbol=${KEY}`, right);
    said += echo + (await noUrl.text()) + JSON.stringify(served.log);
    for (const form of [...formsOf(TOKEN), ...formsOf(KEY)]) expect(said).not.toContain(form);
    expect(served.log.filter(({ event }) => event === 'http_request').length).toBeGreaterThan(80);
  });

  test('the right one passes, in any case of its scheme', () => {
    const admit = byToken(TOKEN);
    const from = (authorization?: string) => ({ headers: { authorization } }) as never;
    expect(() => admit(from(`bearer  ${TOKEN} `))).not.toThrow();
    expect(() => admit(from())).toThrow('Authorization: Bearer');
    expect(() => admit(from('Bearer 1'))).toThrow('the token is wrong');
  });
});

test('without a token only this machine is answered, and no page of another site', async ({
  onTestFinished,
}) => {
  const { url } = await serve(onTestFinished);
  const usage = `${url}/api/charts/usage`;
  const { port } = new URL(url);
  expect(await statusOf(usage, { host: `localhost:${port}` })).toBe(200);
  expect(await statusOf(usage, { host: `[::1]:${port}` })).toBe(200);
  expect(await statusOf(usage, { origin: `http://localhost:${port}` })).toBe(200);
  expect(await statusOf(usage, { host: 'evil.example' })).toBe(403);
  expect(await statusOf(usage, { host: 'localhost.evil.example' })).toBe(403);
  expect(await statusOf(usage, { origin: 'https://evil.example' })).toBe(403);
  expect(await statusOf(usage, { origin: 'null' })).toBe(403);
  expect(await statusOf(`${url}/healthz`, { host: 'evil.example' })).toBe(200);
});

test.for([
  ['127.0.0.1', true],
  ['127.8.8.8', true],
  ['localhost', true],
  ['::1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['192.168.0.1', false],
  ['localhost.example', false],
  ['', false],
] as const)('%s is this machine’s own: %s', ([host, expected]) => {
  expect(isLoopback(host)).toBe(expected);
});

test('who asks too often is told until when; wrong tokens count, health does not', async ({
  onTestFinished,
}) => {
  const env = { CHARTS_API_TOKEN: TOKEN, CHARTS_API_REQUESTS_PER_MINUTE: '5' };
  const served = await serve(onTestFinished, env);
  const ask = () => served.get('/api/charts/usage', { authorization: 'Bearer wrong' });
  for (let times = 0; times < 5; times++) expect((await ask()).status).toBe(401);
  const over = await ask();
  expect(over.status).toBe(429);
  expect(over.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const problem = (await over.json()) as { code: string; details: { resetsAt: string } };
  expect(problem.code).toBe('TOO_MANY_REQUESTS');
  const waitSeconds = (Date.parse(problem.details.resetsAt) - Date.now()) / 1_000;
  expect(waitSeconds).toBeGreaterThan(0);
  expect(waitSeconds).toBeLessThanOrEqual(60);
  expect(Number(over.headers.get('retry-after'))).toBeGreaterThanOrEqual(waitSeconds - 1);
  expect((await served.get('/healthz')).status).toBe(200);
});

test('what is no HTTP is answered as a problem, and the connection is closed', async ({
  onTestFinished,
}) => {
  const served = await serve(onTestFinished);
  const socket = connect(Number(new URL(served.url).port), '127.0.0.1');
  socket.write('NOT HTTP\r\n\r\n');
  const answer = await text(socket);
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({
    code: 'MALFORMED_REQUEST',
  });
});

describe('it does not start, exit 2 and one line,', () => {
  test.for([
    ['beyond the loopback without a token', ['--host', '0.0.0.0'], {}, 'set CHARTS_API_TOKEN'],
    ['with a token that is none', [], { CHARTS_API_TOKEN: 'zu kurz' }, 'at least 16'],
    ['on a port that is none', ['--port', '65536'], {}, '--port: "65536" is not a whole number'],
    [
      'on an address of another machine',
      ['--host', '192.0.2.1'],
      { CHARTS_API_TOKEN: TOKEN },
      '--host',
    ],
  ] as const)('%s', async ([, argv, env, words], { onTestFinished }) => {
    const cwd = await emptyFolder(onTestFinished);
    const { exitCode, stdout, stderr } = await runCli(['serve', ...argv], { cwd, env });
    expect([exitCode, stdout]).toEqual([2, '']);
    const errors = stderr.split('\n').filter((line) => line.includes('"config_error"'));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(JSON.stringify(words).slice(1, -1));
    expect(stderr).not.toContain('zu kurz');
  });

  test('on a port that is taken', async ({ onTestFinished }) => {
    const served = await serve(onTestFinished);
    const cwd = await emptyFolder(onTestFinished);
    const argv = ['serve', '--port', new URL(served.url).port];
    const { exitCode, stdout, stderr } = await runCli(argv, { cwd });
    expect([exitCode, stdout]).toEqual([2, '']);
    expect(stderr).toContain('another process does already; name another port with --port');
  });
});
