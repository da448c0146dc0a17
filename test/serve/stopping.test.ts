import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { parseServeConfig } from '../../src/config/serve-config.js';
import { libraryOn } from '../../src/library/library-on.js';
import { Logger } from '../../src/log/logger.js';
import { openDoor } from '../../src/serve/door.js';
import { openWorker } from '../../src/worker/worker.js';
import { CliProcess } from '../support/cli-run.js';
import { LIBRARY_SCENES } from '../support/live-library-scene.js';
import { ALL_CASES } from '../support/share.js';

const [LOCAL] = LIBRARY_SCENES;
const DAX = { symbols: ['DAX'], timeframes: ['4h'] };

function generate(url: string): Promise<Response> {
  return fetch(`${url}/api/charts/generate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(DAX),
  });
}

test('SIGTERM: what is in flight has its answer, nobody new is let in, exit 0', async ({
  onTestFinished,
}) => {
  const { cwd, env, fake, usage } = await LOCAL.open(onTestFinished, { latencyMs: 1_500 });
  const argv = ['serve', '--port', '0', '--charts-api-mode', 'real'];
  const process = new CliProcess(argv, { cwd, env });
  onTestFinished(async () => {
    process.kill('SIGKILL');
    await process.ended;
  });
  const { url } = await process.event('http_listening');
  const answer = generate(String(url));
  // Idle connections keep nobody waiting.
  const { port } = new URL(String(url));
  const idle = connect(Number(port), '127.0.0.1');
  idle.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n');
  const idled = text(idle);
  await fake.arrived(1);
  process.kill('SIGTERM');
  await process.event('interrupted');
  await idled;
  await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  expect((await answer).status).toBe(200);
  expect((await answer).headers.get('connection')).toBe('close');
  const { exitCode, stdout } = await process.ended;
  expect([exitCode, stdout]).toEqual([0, `listening on ${url}\n`]);
  expect(await process.event('http_stopped')).toMatchObject({ end: 'finished' });
  expect(await usage()).toMatchObject({ usageToday: 1 });
});

// Seven seconds pass, whatever the machine.
test.runIf(ALL_CASES)(
  'a process that has to cut says so with the signal’s code',
  async ({ onTestFinished }) => {
    const { cwd, env, fake, usage } = await LOCAL.open(onTestFinished, {});
    fake.faults.add({ fault: { act: 'hang' } });
    const argv = ['serve', '--port', '0', '--charts-api-mode', 'real'];
    const process = new CliProcess(argv, { cwd, env });
    onTestFinished(async () => {
      process.kill('SIGKILL');
      await process.ended;
    });
    const { url } = await process.event('http_listening');
    const answer = generate(String(url));
    await fake.arrived(1);
    process.kill('SIGINT');
    expect((await answer).status).toBe(503);
    expect(await process.ended).toMatchObject({ exitCode: 130, signal: null });
    expect(await process.event('http_stopped')).toMatchObject({ end: 'cut' });
    expect(await usage()).toMatchObject({ usageToday: 1 });
  },
);

test('what does not finish in time is cut: 503, and its lease is given back', async ({
  onTestFinished,
}) => {
  const { cwd, env, fake, documents } = await LOCAL.open(onTestFinished, {});
  fake.faults.add({ fault: { act: 'hang' } });
  const config = await parseServeConfig({ chartsApiMode: 'real' }, env, cwd);
  const logger = new Logger(() => undefined);
  const library = libraryOn(await openWorker(config, 'write', logger), config, logger);
  onTestFinished(() => library.close());
  const on = { library, lookAtStore: async () => undefined, logger, redact: String };
  const door = await openDoor(on, config);
  const url = await door.listen({ host: 'localhost', port: 0 });
  const answer = generate(url);
  await fake.arrived(1);
  expect(await door.close(50)).toBe('cut');
  const { status } = await answer;
  expect(await (await answer).json()).toMatchObject({ code: 'STOPPING' });
  expect([status, (await answer).headers.get('retry-after')]).toEqual([503, '5']);
  const { documents: leases } = await documents.list('chart_leases', { limit: 10 });
  expect(leases.map(({ data }) => data.state)).toEqual(['DONE']);
});
