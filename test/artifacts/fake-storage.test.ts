import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { CRC32C, Storage } from '@google-cloud/storage';
import { expect, test } from 'vitest';
import { crc32cOf } from '../support/fake-storage/crc32c.js';
import { startFakeStorage } from '../support/fake-storage/fake-storage.js';

test('its checksum is the one that everybody else computes', () => {
  expect(crc32cOf(Buffer.from('123456789'))).toBe(
    Buffer.from('e3069283', 'hex').toString('base64'),
  );
  const bytes = Buffer.from(Array.from({ length: 5_000 }, (_, i) => (i * i) % 256));
  const theirs = new CRC32C();
  theirs.update(bytes);
  expect(crc32cOf(bytes)).toBe(theirs.toString());
});

test.each([
  ['GET', '/b/a', 'unknown route'],
  ['PATCH', '/storage/v1/b/a/o/x', 'unknown route'],
  ['DELETE', '/b/a/o/x', 'unconditional DELETE'],
  ['GET', '/b/a/o?fields=x', 'unknown parameter fields'],
  ['GET', '/b/a/o?prefix=x&prefix=y', 'came twice'],
  ['POST', '/upload/storage/v1/b/a/o?uploadType=resumable&name=x', 'uploadType resumable'],
  ['POST', '/upload/storage/v1/b/a/o?uploadType=multipart&name=x', 'unconditional upload'],
])('%s %s is a violation', async (method, path, words) => {
  const fake = await startFakeStorage({ buckets: ['a'] });
  const response = await fetch(`${fake.url}${path}`, { method });
  expect(response.status).toBe(500);
  await fake.close();
  expect(fake.violations).toEqual([expect.stringContaining(words)]);
});

test('the client as its defaults have it does what the fake forbids', async () => {
  const fake = await startFakeStorage({ buckets: ['a'] });
  const file = new Storage({ apiEndpoint: fake.url }).bucket('a').file('x');
  await expect(file.save('body', { resumable: false })).rejects.toThrow();
  await fake.close();
  expect(fake.violations).toEqual(['an unconditional upload']);
});

test('alone in a process, it is steered over HTTP and ends on a signal', async () => {
  const main = fileURLToPath(new URL('../support/fake-storage/main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', main, 'a', 'b'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const url = String((await once(child.stdout, 'data'))[0]).trim();
    const rule = { kind: 'list', nth: 2, fault: { act: 'refuse', status: 503 } };
    await fetch(`${url}/__fake/faults`, { method: 'POST', body: JSON.stringify(rule) });
    const list = async () => (await fetch(`${url}/b/b/o`)).status;
    expect([await list(), await list(), await list()]).toEqual([200, 503, 200]);
    const state = await (await fetch(`${url}/__fake/state?bucket=b`)).json();
    expect(state).toMatchObject({ violations: [], objects: [] });
    expect((state as { requests: unknown[] }).requests).toHaveLength(3);
  } finally {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  }
  expect(child.exitCode).toBe(0);
});
