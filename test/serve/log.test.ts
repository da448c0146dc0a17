import { expect, test } from 'vitest';
import { emptyFolder } from '../support/cli-run.js';
import { Served } from '../support/served.js';

test('one event a request: its route, not its words, and the id that the answer bears', async ({
  onTestFinished,
}) => {
  const served = await Served.start(onTestFinished, { cwd: await emptyFolder(onTestFinished) });
  const answer = await served.get('/api/charts/snapshots/secret-words');
  await served.get('/healthz');
  await served.stop();
  const told = served.log.filter(({ event }) => event === 'http_request');
  expect(told).toEqual([
    expect.objectContaining({
      ...{ severity: 'INFO', method: 'GET', route: '/api/charts/snapshots/:id', status: 404 },
      requestId: answer.headers.get('x-request-id'),
      message: expect.stringMatching(/^GET \/api\/charts\/snapshots\/:id 404 in \d+ ms$/),
      error: { code: 'SNAPSHOT_NOT_FOUND', message: 'there is no chart "secret-words"' },
    }),
    expect.objectContaining({ severity: 'DEBUG', route: '/healthz', status: 200 }),
  ]);
  const others = served.log.map(({ event }) => event).filter((event) => event !== 'http_request');
  expect(others).toEqual(['local_run_started', 'http_listening', 'interrupted', 'http_stopped']);
});

test('for people: a line a request', async ({ onTestFinished }) => {
  const cwd = await emptyFolder(onTestFinished);
  const argv = ['--log-format', 'pretty'];
  const served = await Served.start(onTestFinished, { cwd, argv });
  await served.get('/api/charts/usage');
  expect(await served.stop()).toBe(0);
  expect(served.stderr).toMatch(/^GET \/api\/charts\/usage 200 in \d+ ms$/m);
});
