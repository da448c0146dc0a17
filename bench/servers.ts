import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { FirestoreDocumentStore } from '../src/documents/firestore/firestore-document-store.js';
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
  if (own) await warmUp(host);
  return host;
}

const LANES = 4;
const WARM_UP_ROUNDS = 400;

/**
 * Java compiles what is often called: an emulator's first thousand answers take ten times as long
 * as later ones, which nobody's Firestore does.
 */
async function warmUp(emulatorHost: string): Promise<void> {
  const store = new FirestoreDocumentStore({
    projectId: 'demo-warm',
    database: '(default)',
    emulatorHost,
  });
  const data = { steps: Object.fromEntries(Array.from({ length: 64 }, (_, n) => [`s${n}`, {}])) };
  const lane = async (name: number) => {
    const all = [`warm/${name}`, `warm/${name}/leases/a`];
    for (let round = 0; round < WARM_UP_ROUNDS; round++) {
      const reading = await store.read(all);
      await store.commit(
        all.map((path) => {
          const found = reading.get(path);
          const when = found ? { version: found.version } : ({ absent: true } as const);
          return { kind: 'put', path, when, data: { ...data, round } };
        }),
      );
    }
    await store.list('warm', { limit: 10 });
  };
  await Promise.all(Array.from({ length: LANES }, (_, name) => lane(name)));
  await store.close();
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
