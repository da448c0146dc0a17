import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { Account } from '../../src/contracts/documents.js';
import type { Fault } from '../support/fake-chart-img/faults.js';
import { eventsOf, fakeFor, type LiveRunOptions, LiveScene } from '../support/live-scene.js';
import { THREE_CHARTS, type Told } from '../support/step-scene.js';

// Most of them wait until the service is asked again.
vi.setConfig({ maxConcurrency: 12 });

/** Every encoding writes it in its own way. */
const CANARY = 'canary/key+0123456789=~%';
const ACCOUNT: Account = { id: 'acc-1', apiKey: CANARY, plan: 'PRO' };
const [FIRST, SECOND] = THREE_CHARTS;
const THROW_AT = new URL('../support/throw-at.mjs', import.meta.url).href;

/** Written by hand, not by the code that masks. */
const FORMS = [
  CANARY,
  // URL, form, and both in lower case.
  'canary%2Fkey%2B0123456789%3D~%25',
  'canary%2Fkey%2B0123456789%3D%7E%25',
  'canary%2fkey%2b0123456789%3d~%25',
  'canary%2fkey%2b0123456789%3d%7e%25',
  // JSON that escapes more than it must.
  String.raw`canary\/key+0123456789=~%`,
  String.raw`canary\u002fkey\u002b0123456789\u003d~%`,
  // base64, base64url; what is padded holds what is not.
  'Y2FuYXJ5L2tleSswMTIzNDU2Nzg5PX4l',
  // What is left of it in a name of letters and digits.
  'canary_key_0123456789',
].map((form) => form.toLowerCase());
/** Enough of the key to be worth stealing: a text that was cut may end within it. */
const MOST_OF_IT = CANARY.slice(0, 16).toLowerCase();

/** Where a text holds the key, in any case of its letters. */
function findIn(place: string, text: string): string[] {
  const folded = text.toLowerCase();
  return [...FORMS, MOST_OF_IT]
    .filter((form) => folded.includes(form))
    .map((form) => `${place}: ${form}`);
}

/** Every byte that the run wrote: its outputs, and all files below its folder with their names. */
async function leaksOf(scene: LiveScene, { stdout, stderr }: Told): Promise<string[]> {
  const leaks = [...findIn('stdout', stdout), ...findIn('stderr', stderr)];
  let files = 0;
  for (const entry of await readdir(scene.cwd, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    leaks.push(...findIn('a name', path));
    if (!entry.isFile()) continue;
    files++;
    leaks.push(...findIn(path, (await readFile(path)).toString('latin1')));
  }
  // Else nothing was looked at.
  expect(files).toBeGreaterThan(0);
  return leaks;
}

async function sceneWith(
  onTestFinished: (undo: () => Promise<void>) => void,
  charts: readonly string[],
  ...faults: readonly Fault[]
): Promise<LiveScene> {
  const fake = await fakeFor(onTestFinished, { keys: [{ apiKey: CANARY, plan: 'PRO' }] });
  for (const fault of faults) fake.faults.add({ times: 'forever', fault });
  return LiveScene.in(onTestFinished, charts, { fake });
}

/** Runs it, and says how it ended and where the key can be found. */
async function tellTales(scene: LiveScene, options: LiveRunOptions = {}) {
  const run = await scene.run({ accounts: [ACCOUNT], ...options });
  return { run, leaks: await leaksOf(scene, run) };
}

function echo(status: number, body: string): Fault {
  return { act: 'answer', status, body };
}

test('the forms are those of the key', () => {
  const base64 = Buffer.from(CANARY).toString('base64');
  const form = new URLSearchParams([['', CANARY]]).toString().slice(1);
  for (const text of [CANARY, encodeURIComponent(CANARY), form, base64]) {
    expect(findIn('here', text)).not.toEqual([]);
    expect(findIn('here', `${text}=`)).not.toEqual([]);
  }
  expect(findIn('here', 'canary [key] canary')).toEqual([]);
});

describe.concurrent.each(['real', 'record'] as const)('in %s mode the key is nowhere', (mode) => {
  test('in a run that succeeds', async ({ onTestFinished }) => {
    const scene = await sceneWith(onTestFinished, [FIRST, SECOND]);
    const { run, leaks } = await tellTales(scene, { mode });
    expect(run.exitCode, run.stderr).toBe(0);
    expect(scene.fake.counts[CANARY]).toBeDefined();
    expect(leaks).toEqual([]);
  });

  const base64 = Buffer.from(CANARY).toString('base64');
  test.for([
    { how: 'as it is', key: CANARY },
    { how: 'URL-encoded', key: encodeURIComponent(CANARY) },
    { how: 'form-encoded', key: new URLSearchParams([['', CANARY]]).toString().slice(1) },
    { how: 'in lower-case escapes', key: 'canary%2fkey%2b0123456789%3d~%25' },
    { how: 'in base64', key: base64 },
    { how: 'in base64url', key: Buffer.from(CANARY).toString('base64url') },
  ])('where the service echoes it $how', async ({ key }, { onTestFinished }) => {
    const body = JSON.stringify({ message: `The key ${key} is not for this symbol` });
    const scene = await sceneWith(onTestFinished, [FIRST], echo(422, body));
    const { run, leaks } = await tellTales(scene, { mode });
    expect(run.exitCode, run.stderr).toBe(1);
    expect(run.stderr).toContain('is not for this symbol');
    expect(leaks).toEqual([]);
  });

  test.for([
    { what: 'a 500', status: 500, body: `no good: ${CANARY}` },
    { what: 'a 403', status: 403, body: JSON.stringify({ error: CANARY }) },
    { what: 'a 429', status: 429, body: JSON.stringify({ errors: [{ msg: CANARY }] }) },
    { what: 'HTML', status: 404, body: `<html>${CANARY}</html>` },
    {
      what: 'escaped JSON',
      status: 422,
      body: String.raw`{"message":"canary\/key+0123456789=~%"}`,
    },
    {
      what: 'more escapes',
      status: 422,
      body: String.raw`{"a":["canary\u002fkey\u002b0123456789\u003d~%"],"message":"m"}`,
    },
    { what: 'a name', status: 422, body: JSON.stringify({ [CANARY]: 1, message: 'm' }) },
    { what: 'a text that is cut', status: 422, body: `${'x'.repeat(280)}${CANARY}` },
  ])('where it is in $what', async ({ status, body }, { onTestFinished }) => {
    const scene = await sceneWith(onTestFinished, [FIRST], echo(status, body));
    const { run, leaks } = await tellTales(scene, { mode });
    expect(run.exitCode, run.stderr).toBe(1);
    expect(leaks).toEqual([]);
  });

  test.for([
    { act: 'close' },
    { act: 'cut' },
    { act: 'raw', body: `HTTP/1.1 200 ${CANARY}\r\nx: ${CANARY}\r\nno head`, end: 'close' },
    { act: 'answer', status: 302, headers: { location: `http://127.0.0.1:9/?k=${CANARY}` } },
  ] as const)('in a network failure: $act', async (fault, { onTestFinished }) => {
    const scene = await sceneWith(onTestFinished, [FIRST], fault);
    const { run, leaks } = await tellTales(scene, { mode });
    expect(run.exitCode, run.stderr).toBe(1);
    expect(leaks).toEqual([]);
  });

  test('where nobody listens', async ({ onTestFinished }) => {
    const scene = await sceneWith(onTestFinished, [FIRST]);
    await scene.fake.close();
    const { run, leaks } = await tellTales(scene, { mode });
    expect(run.exitCode, run.stderr).toBe(1);
    expect(leaks).toEqual([]);
  });

  test.for(['rejects', 'throws'])(
    'in a crash: a bug that %s in the middle',
    async (how, { onTestFinished }) => {
      const scene = await sceneWith(onTestFinished, [FIRST, SECOND]);
      const env = { THROW_AT: '/gcs/', THROW_HOW: how, THROW_TEXT: `x-api-key: ${CANARY}` };
      const { run, leaks } = await tellTales(scene, { mode, preload: [THROW_AT], env });
      expect(run.exitCode, run.stderr).not.toBe(0);
      expect(eventsOf(run.log, 'chart_api_call_start')).not.toEqual([]);
      expect(run.stderr).toContain('x-api-key');
      expect(leaks).toEqual([]);
    },
  );
});
