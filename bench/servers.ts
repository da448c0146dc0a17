import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { bundled } from '../test/support/bundled.js';
import { emulatorIsUp, startEmulator } from '../test/support/emulator-process.js';
import type { FakeChartImgOptions } from '../test/support/fake-chart-img/fake-chart-img.js';

export type AtEnd = (undo: () => Promise<void>) => void;

/** As long as the sample charts, about. */
const CHART_BYTES = 40_000;

const CHART_IMG = new URL('../test/support/fake-chart-img/main.ts', import.meta.url);
const STORAGE = new URL('../test/support/fake-storage/main.ts', import.meta.url);

/** Where a server can be reached. */
export type Url = string;

/** In a process of its own: what it works is not to be waited for by whoever is measured. */
export function chartImg(options: FakeChartImgOptions, atEnd: AtEnd): Promise<Url> {
  const told = JSON.stringify({ chartBytes: CHART_BYTES, ...options });
  return started(CHART_IMG, [told], atEnd);
}

export interface Storage {
  readonly url: Url;
  /** One in which there is nothing yet: what lies in a bucket makes its listing slower. */
  emptyBucket(): string;
}

const BUCKETS = 2_000;

export async function storage(atEnd: AtEnd): Promise<Storage> {
  const buckets = Array.from({ length: BUCKETS }, (_, index) => `bench-${index}`);
  const url = await started(STORAGE, buckets, atEnd);
  return {
    url,
    emptyBucket: () => {
      const bucket = buckets.pop();
      if (bucket === undefined) throw new Error('no empty bucket is left');
      return bucket;
    },
  };
}

/** The Firestore emulator's `host:port`; rejects where there is none. */
export async function firestore(atEnd: AtEnd): Promise<string> {
  const running = process.env.FIRESTORE_EMULATOR_HOST;
  const own = running ? undefined : await startEmulator();
  if (own) atEnd(() => own.stop());
  const host = running || own?.host;
  if (host === undefined) {
    throw new Error(
      'no Google Cloud SDK with cloud-firestore-emulator, no FIRESTORE_EMULATOR_HOST',
    );
  }
  await emulatorIsUp(host);
  return host;
}

async function started(main: URL, argv: readonly string[], atEnd: AtEnd): Promise<Url> {
  const child = spawn(process.execPath, [bundledOnce(main), ...argv], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  atEnd(async () => {
    const gone = once(child, 'exit');
    if (child.kill('SIGKILL')) await gone;
  });
  const lines = createInterface(child.stdout);
  const [url] = (await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`${fileURLToPath(main)} ended with ${code}`);
    }),
  ])) as [Url];
  return url;
}

const made = new Map<string, string>();

export function bundledOnce(main: URL): string {
  const file = made.get(main.href) ?? bundled(main);
  made.set(main.href, file);
  return file;
}

/** Uploads that have reached a Storage server so far. */
export async function puts(url: Url): Promise<number> {
  const state = await fetch(`${url}/__fake/state`);
  const { requests } = (await state.json()) as { requests: { kind: string }[] };
  return requests.filter(({ kind }) => kind === 'put').length;
}

/** Requests that a Chart-IMG server answered with anything but a chart. */
export async function refusals(url: Url): Promise<number> {
  const state = await fetch(`${url}/__fake/state`);
  const { requests } = (await state.json()) as { requests: { status: number }[] };
  return requests.filter(({ status }) => status !== 200).length;
}
