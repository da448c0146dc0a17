import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunSummary } from '../src/contracts/documents.js';
import { FirestoreDocumentStore } from '../src/documents/firestore/firestore-document-store.js';
import { paths } from '../src/documents/paths.js';
import { BIN } from '../test/support/cli-run.js';
import { summaryOn } from '../test/support/cli-workspace.js';
import { type Payer, writeManyCharts } from '../test/support/many-charts-scene.js';
import type { BoundJob } from './bound/work.js';
import type { Figures } from './measure.js';
import { node } from './node-process.js';
import { type AtEnd, bundledOnce, type Storage, type Url } from './servers.js';

const BOUND = new URL('./bound/main.ts', import.meta.url);
const PRELOADS = ['../test/support/report-memory.mjs', './report-cpu.mjs'].map(
  (path) => new URL(path, import.meta.url).href,
);

/** `durationMs` as the process itself tells, and what the process took in all. */
export interface StepFigures extends Spent {
  readonly durationMs: number;
}

interface Spent extends Figures {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakMegabytes: number;
}

export interface Work {
  readonly charts: number;
  readonly concurrency: number;
  readonly payers: readonly Payer[];
  readonly chartImg: Url;
}

/** Where steps are done, each in a folder, a run and a bucket of its own. */
export interface Place {
  /** Folders are made in here. */
  readonly root: string;
  readonly storage: Storage;
  /** `host:port` of the emulator, or of what stands before it. */
  readonly firestore: string;
  readonly documents: FirestoreDocumentStore;
}

const PROJECT = 'demo-bench';

export function place(root: string, storage: Storage, firestore: string, atEnd: AtEnd): Place {
  const target = { projectId: PROJECT, database: '(default)', emulatorHost: firestore };
  const documents = new FirestoreDocumentStore(target);
  atEnd(() => documents.close());
  return { root, storage, firestore, documents };
}

/** The program's step on `gcp`: Firestore's emulator and the Storage server. */
export async function cloudStep(work: Work, at: Place): Promise<StepFigures> {
  const { storage, firestore, documents } = at;
  return inFolder(at.root, async (cwd) => {
    const runId = freshRunId();
    const data = await writeManyCharts(cwd, work, runId);
    const made = await documents.commit([{ kind: 'put', path: paths.flowRun(runId), data }]);
    if (made.status !== 'committed') throw new Error(`the flow run was ${made.status}`);
    const flags = ['--backend', 'gcp', '--charts-bucket', storage.emptyBucket()];
    return programStep(work, cwd, flags, {
      FIRESTORE_EMULATOR_HOST: firestore,
      STORAGE_EMULATOR_HOST: storage.url,
      GOOGLE_CLOUD_PROJECT: PROJECT,
    });
  });
}

/** The program's step on `local`, in a new workspace. */
export function localStep(work: Work, { root }: Pick<Place, 'root'>): Promise<StepFigures> {
  return inFolder(root, async (cwd) => {
    await writeManyCharts(cwd, work);
    return programStep(work, cwd, [], {});
  });
}

/** The same charts by the bare script. */
export function boundStep(
  work: Work,
  { root, storage }: Pick<Place, 'root' | 'storage'>,
): Promise<StepFigures> {
  return inFolder(root, async (cwd) => {
    const { charts, concurrency, chartImg } = work;
    const bucket = storage.emptyBucket();
    const apiKey = work.payers[0]?.account.apiKey ?? '';
    const asked = { charts, concurrency, chartImg, bucket, apiKey };
    const job: BoundJob = { ...asked, storage: storage.url };
    const ran = await measured([bundledOnce(BOUND), JSON.stringify(job)], cwd, {});
    return { ...(JSON.parse(ran.stdout) as { durationMs: number }), ...ran.figures };
  });
}

async function programStep(
  { charts, concurrency, chartImg }: Work,
  cwd: string,
  flags: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<StepFigures> {
  const files = ['--flow-run-path', 'flow_run.json', '--templates-dir', 'templates'];
  const paid = ['--charts-api-mode', 'real', '--accounts-config-path', 'accounts.json'];
  const how = ['--concurrency', String(concurrency), '--output-summary', 'json'];
  const argv = [BIN, 'run-local', ...files, ...paid, ...how, ...flags];
  const ran = await measured(argv, cwd, { CHART_IMG_BASE_URL: chartImg, ...env });
  const summary: RunSummary = summaryOn(ran.stdout);
  if (summary.itemsCount !== charts) throw new Error(`not ${charts} charts: ${ran.stdout}`);
  return { durationMs: Number(summary.durationMs), ...ran.figures };
}

async function measured(
  argv: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly stdout: string; readonly figures: Spent }> {
  const files = { CPU_TIME_FILE: join(cwd, 'cpu'), PEAK_MEMORY_FILE: join(cwd, 'peak') };
  const imports = PRELOADS.flatMap((url) => ['--import', url]);
  const { stdout, wallMs } = await node([...imports, ...argv], { cwd, env: { ...files, ...env } });
  const cpuMs = Number(await readFile(files.CPU_TIME_FILE, 'utf8'));
  const peakMegabytes = Number(await readFile(files.PEAK_MEMORY_FILE, 'utf8')) / 1_024;
  return { stdout, figures: { wallMs, cpuMs, peakMegabytes } };
}

/**
 * In a new folder, which goes with the root when all is measured: a disk that has just removed some
 * hundred files may look past each of them before it makes one (ext4 without a journal does, for
 * minutes), and that was 5 ms of a mock run.
 */
export async function inFolder<T>(root: string, work: (cwd: string) => Promise<T>): Promise<T> {
  return work(await mkdtemp(join(root, 'run-')));
}

let runs = 0;

/** The emulator may be one that others used before. */
function freshRunId(): string {
  runs += 1;
  const day = String(20200101 + Math.floor(Math.random() * 28));
  const time = String(Math.floor(Math.random() * 1e6)).padStart(6, '0');
  return `${day}-${time}_BTCUSDT_${String(runs).padStart(4, '0')}`;
}
