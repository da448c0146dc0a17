import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { LiveProvider, type LiveSettings } from '../../src/chart-img/live/live-provider.js';
import { judge } from '../../src/chart-img/verdict.js';
import { ConfigError } from '../../src/failures.js';
import { proxyFor } from '../../src/http/proxy.js';
import { CERTIFICATE, CERTIFICATE_KEY } from '../support/fake-chart-img/certificate.js';
import { type FakeChartImg, startFakeChartImg } from '../support/fake-chart-img/fake-chart-img.js';
import { type Behaviour, startFakeProxy } from '../support/fake-chart-img/fake-proxy.js';
import { expectNoKey } from '../support/fake-chart-img/no-key.js';
import { callInChild } from '../support/fake-chart-img/run-caller.js';
import { KEY, sampleChart } from '../support/fake-chart-img/sample-chart.js';

/** Its certificate is for this name; nothing but a proxy leads there. */
const NAME = 'chart-img.test';
const PASSWORD = 'pass word';

let fake: FakeChartImg;
beforeEach(async () => {
  fake = await startFakeChartImg({
    keys: [{ apiKey: KEY, plan: 'ULTRA' }],
    tls: { key: CERTIFICATE_KEY, cert: CERTIFICATE },
  });
  return () => fake.close();
});

async function proxyThat(behaviour: Behaviour) {
  const proxy = await startFakeProxy(behaviour);
  onTestFinished(() => proxy.close());
  return proxy;
}

function open(settings: Partial<LiveSettings>): LiveProvider {
  const baseUrl = `https://${NAME}`;
  const provider = new LiveProvider({ baseUrl, timeoutMs: 20_000, ...settings });
  onTestFinished(() => provider.close());
  return provider;
}

function call(provider: LiveProvider, signal = new AbortController().signal) {
  return provider.render({ chart: sampleChart(), apiKey: KEY, signal });
}

/** The environment of a process that trusts the fake. */
async function trustingEnv(): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'ca-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'ca.pem');
  await writeFile(path, CERTIFICATE);
  return { NODE_EXTRA_CA_CERTS: path };
}

describe('through a proxy', () => {
  test('calls share one tunnel, in which the proxy hears neither key nor chart', async () => {
    const proxy = await proxyThat({ port: Number(new URL(fake.url).port) });
    const settings = {
      baseUrl: `https://${NAME}`,
      // Less than all pauses: a tunnel that stands does not end when its opening would have been late.
      timeoutMs: 3_000,
      proxy: { httpsProxy: proxy.url },
    };
    const task = { settings, apiKey: KEY, calls: 3, pauseMs: 1_800 };
    const { verdicts } = await callInChild(task, await trustingEnv());
    expect(verdicts).toEqual(['chart', 'chart', 'chart']);
    expect(fake.requests.map(({ headers }) => headers.host)).toEqual(Array(3).fill(NAME));
    expect(fake.connections).toBe(1);
    expect(proxy.targets).toEqual([`${NAME}:443`]);
    const user = Buffer.from(`user:${PASSWORD}`).toString('base64');
    expect(proxy.authorizations).toEqual([`Basic ${user}`]);
    expect(proxy.heard).toContain(NAME);
    for (const secret of [KEY, 'x-api-key', 'BTCUSDT']) expect(proxy.heard).not.toContain(secret);
    await proxy.disconnected();
  });

  test.each([403, 407, 429, 502])('its %i is no answer of the service', async (status) => {
    const body = '{"message":"Limit Exceeded"}';
    const head = `HTTP/1.1 ${status} No\r\ncontent-length: ${body.length}\r\nretry-after: 9`;
    const proxy = await proxyThat({ refuse: `${head}\r\n\r\n${body}` });
    const answer = await call(open({ proxy: { httpsProxy: proxy.url } }));
    expect(answer).toEqual({
      kind: 'no-answer',
      reason: 'network',
      message: `the proxy refused to connect (PROXY_HTTP_${status})`,
      unsent: true,
    });
    expect(judge(answer).kind).toBe('try-again');
    expect(proxy.targets).toHaveLength(1);
    await proxy.disconnected();
  });

  test.each([
    ['nothing', ''],
    ['no HTTP', '220 smtp ready\r\n'],
  ])('that answers with %s is no answer either', async (_what, refuse) => {
    const proxy = await proxyThat({ refuse });
    const answer = await call(open({ proxy: { httpsProxy: proxy.url } }));
    expect(answer).toMatchObject({ kind: 'no-answer', reason: 'network' });
    expectNoKey(answer);
    await proxy.disconnected();
  });

  test('that is not there: told without its password', async () => {
    const proxy = await startFakeProxy('hang');
    await proxy.close();
    const answer = await call(open({ proxy: { httpsProxy: proxy.url } }));
    const message = 'the connection was refused (ECONNREFUSED)';
    expect(answer).toEqual({ kind: 'no-answer', reason: 'network', message, unsent: true });
  });

  test('that is silent: the deadline holds, and its socket is closed', async () => {
    const proxy = await proxyThat('hang');
    const answer = await call(open({ proxy: { httpsProxy: proxy.url }, timeoutMs: 200 }));
    expect(answer).toMatchObject({ kind: 'no-answer', reason: 'timeout' });
    await proxy.disconnected();
  });

  test('that is silent: an abort is obeyed, and close leaves nothing open', async () => {
    const proxy = await proxyThat('hang');
    const provider = open({ proxy: { httpsProxy: proxy.url }, timeoutMs: 60_000 });
    const stop = new AbortController();
    const answer = call(provider, stop.signal).catch((reason: unknown) => reason);
    await proxy.asked();
    stop.abort('enough');
    expect(await answer).toBe('enough');
    provider.close();
    await proxy.disconnected();
  });
});

test('a certificate that nobody vouches for gets no request', async () => {
  const answer = await call(open({ baseUrl: fake.url }));
  expect(answer).toEqual({
    kind: 'no-answer',
    reason: 'network',
    message: 'its certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)',
    unsent: true,
  });
  expect(fake.requests).toEqual([]);
});

test('without a proxy, https calls share a socket too', async () => {
  const task = {
    settings: { baseUrl: fake.url, timeoutMs: 20_000 },
    ...{ apiKey: KEY, calls: 3, pauseMs: 0 },
  };
  const { verdicts } = await callInChild(task, await trustingEnv());
  expect(verdicts).toEqual(['chart', 'chart', 'chart']);
  // On a busy machine a call may leave before the last one's socket is back.
  expect(fake.connections).toBeLessThan(3);
});

describe('NO_PROXY', () => {
  test('leaves the proxy out', async () => {
    const proxy = await proxyThat({ refuse: 'HTTP/1.1 502 No\r\n\r\n' });
    const settings = { baseUrl: fake.url, timeoutMs: 20_000 };
    const through = { ...settings, proxy: { httpsProxy: proxy.url } };
    expect(await call(open(through))).toMatchObject({ message: expect.stringMatching(/proxy/) });
    const around = { ...settings, proxy: { httpsProxy: proxy.url, noProxy: 'a.b, 127.0.0.1' } };
    expect(await call(open(around))).toMatchObject({
      message: expect.stringMatching(/certificate/),
    });
    expect(proxy.targets).toHaveLength(1);
  });

  const HOST = 'api.chart-img.com';
  test.each([
    ['*', true],
    [HOST, true],
    ['API.Chart-IMG.com', true],
    ['chart-img.com', true],
    ['.chart-img.com', true],
    ['*.chart-img.com', true],
    [`a.b,${HOST}`, true],
    [` a.b   ${HOST} `, true],
    [`${HOST}:443`, true],
    [`${HOST}:8443`, false],
    ['img.com', false],
    ['chart-img', false],
    ['xapi.chart-img.com', false],
    ['', false],
    [',', false],
    [undefined, false],
  ])('%j: %j', (noProxy, isExempt) => {
    const endpoint = new URL(`https://${HOST}/x`);
    const proxy = proxyFor(endpoint, { httpsProxy: 'http://proxy:8080', noProxy });
    expect(proxy === undefined).toBe(isExempt);
  });
});

describe('HTTPS_PROXY', () => {
  const endpoint = new URL('https://api.chart-img.com/x');

  test.each([
    ['http://proxy:8080', 'http://proxy:8080/'],
    ['proxy:8080', 'http://proxy:8080/'],
    ['  https://proxy ', 'https://proxy/'],
  ])('%j', (httpsProxy, href) => {
    expect(proxyFor(endpoint, { httpsProxy })?.href).toBe(href);
  });

  test('is not for http, nor when it is empty', () => {
    const local = new URL('http://127.0.0.1:1/x');
    expect(proxyFor(local, { httpsProxy: 'http://proxy' })).toBeUndefined();
    for (const httpsProxy of ['', ' ', undefined]) {
      expect(proxyFor(endpoint, { httpsProxy })).toBeUndefined();
    }
  });

  test.each(['socks5://user:secret@proxy', 'http://user:secret@', 'http://user:secret%@proxy'])(
    '%j is refused, without its password',
    (httpsProxy) => {
      const make = () => open({ proxy: { httpsProxy } });
      expect(make).toThrow(ConfigError);
      expect(make).toThrow(/^(?!.*secret).*HTTPS_PROXY/);
    },
  );
});
