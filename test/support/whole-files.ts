import type { Dirent } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { expect } from 'vitest';
import { wholePngSize } from '../../src/chart-img/png.js';
import type { JsonObject } from '../../src/contracts/documents.js';
import { sha256 } from './cli-workspace.js';
import { inRequestOrder, MANIFEST, RUN_ID, STEP_ID, type StepScene } from './step-scene.js';

/** Where files have their final names; what is staged or journalled lies elsewhere. */
const FINAL = ['firestore', 'gcs'];
/** Nothing else may be left in a workspace that nobody uses. */
const AT_REST = ['.gitignore', ...FINAL];

export interface Look {
  /** How many documents, manifests and sidecars were read. */
  readonly documents: number;
  readonly charts: number;
  /** The files that were seen half-written. */
  readonly broken: readonly string[];
}

/** Reads every file under its final name once, also while the program works. */
export async function lookAtFiles(root: string): Promise<Look> {
  const look = { documents: 0, charts: 0, broken: [] as string[] };
  for (const path of await filesUnder(root, FINAL)) {
    const bytes = await readFile(path).catch(orGone);
    if (!bytes) continue;
    if (path.endsWith('.png')) look.charts++;
    else look.documents++;
    if (!isWhole(path, bytes)) look.broken.push(`${path} of ${bytes.length} bytes`);
  }
  return look;
}

/** Looks again and again until `ended`, and once more. */
export async function watchFiles(root: string, ended: Promise<unknown>): Promise<Look> {
  let isOver = false;
  const over = ended.finally(() => {
    isOver = true;
  });
  const sum = { documents: 0, charts: 0, broken: [] as string[] };
  for (let last = false; !last; ) {
    last = isOver;
    const look = await lookAtFiles(root);
    sum.documents += look.documents;
    sum.charts += look.charts;
    sum.broken.push(...look.broken);
  }
  await over;
  return sum;
}

/**
 * The files of a workspace as the next holder of its lock will find them: a journal that has its
 * name is a commit that was decided, although its renames may not all be done.
 */
export async function decidedFiles(root: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const path of await filesUnder(root, FINAL)) {
    files.set(relative(root, path), await readFile(path));
  }
  const journal = await readFile(join(root, '.journal.json')).catch(orGone);
  if (!journal) return files;
  for (const { from, to } of JSON.parse(journal.toString()) as { from: string; to: string }[]) {
    const staged = await readFile(join(root, from)).catch(orGone);
    if (staged) files.set(to, staged);
  }
  return files;
}

/** The step as the next holder of the lock will find it; `undefined`: the run was never imported. */
export function stepIn(files: ReadonlyMap<string, Buffer>): JsonObject | undefined {
  const run = files.get(`firestore/flow_runs/${RUN_ID}.json`);
  const steps = run && JSON.parse(run.toString()).steps;
  return steps?.[STEP_ID];
}

/** No half file, and neither lock, journal nor staged file is left. */
export async function expectAtRest({ workspace: { root } }: StepScene): Promise<void> {
  expect((await lookAtFiles(root)).broken).toEqual([]);
  const left = await readdir(root);
  expect(left.filter((name) => !AT_REST.includes(name))).toEqual([]);
}

/** The step is done: its manifest holds these charts, and the bucket holds nothing else. */
export async function expectDone(scene: StepScene, charts: readonly string[]): Promise<void> {
  const { workspace } = scene;
  const step = await scene.step();
  expect(step).toMatchObject({
    status: 'SUCCEEDED',
    finishedAt: expect.any(String),
    outputs: { outputsManifestGcsUri: MANIFEST },
  });
  expect(step).not.toHaveProperty('error');
  expect(await scene.lease()).toMatchObject({ state: 'DONE' });

  const { items } = await workspace.manifest(MANIFEST);
  expect(items.map(({ chartTemplateId }) => chartTemplateId)).toEqual(inRequestOrder(charts));
  for (const { png_gcs_uri: uri, meta } of items) {
    const png = await workspace.object(uri);
    expect({ bytes: png.length, sha256: sha256(png) }, uri).toEqual({
      bytes: meta?.bytes,
      sha256: meta?.sha256,
    });
  }
  const objects = [MANIFEST, ...items.map(({ png_gcs_uri: uri }) => uri)];
  const files = objects.map((uri) =>
    relative(join(workspace.root, 'gcs'), workspace.objectPath(uri)),
  );
  expect(await workspace.objects()).toEqual(files.sort());

  const leases = join(workspace.root, 'firestore/flow_runs', RUN_ID, 'step_leases');
  expect(await readdir(leases)).toEqual([`${encodeURIComponent(STEP_ID)}.json`]);
}

async function filesUnder(root: string, folders: readonly string[]): Promise<string[]> {
  const listings = folders.map((folder) =>
    readdir(join(root, folder), { recursive: true, withFileTypes: true }).catch(
      (error: NodeJS.ErrnoException): Dirent[] => orGone(error) ?? [],
    ),
  );
  return (await Promise.all(listings))
    .flat()
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name));
}

function isWhole(path: string, bytes: Buffer): boolean {
  if (path.endsWith('.png')) return wholePngSize(bytes) !== undefined;
  try {
    JSON.parse(bytes.toString());
    return true;
  } catch {
    return false;
  }
}

/** Gone between listing and reading is fine; unreadable is not. */
function orGone(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
