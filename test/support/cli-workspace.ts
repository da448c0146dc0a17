import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { expect } from 'vitest';
import type {
  ChartsOutputsManifest,
  JsonObject,
  RunSummary,
} from '../../src/contracts/documents.js';
import { validateRunSummary } from '../../src/contracts/published.js';
import { validateManifest } from '../../src/contracts/validate.js';

/** A workspace as the README describes it, read from outside, without the program's own code. */
export class CliWorkspace {
  readonly root: string;

  /** Where the program puts it by itself when it runs in this folder. */
  constructor(cwd: string, name = '.worker-chart-export') {
    this.root = join(cwd, name);
  }

  /** Of a document, whether or not there is one. */
  documentPath(...segments: readonly string[]): string {
    return `${join(this.root, 'firestore', ...segments.map(encodeURIComponent))}.json`;
  }

  async document(...segments: readonly string[]): Promise<JsonObject> {
    return JSON.parse(await readFile(this.documentPath(...segments), 'utf8'));
  }

  async step(runId: string, stepId: string): Promise<JsonObject> {
    const { steps } = await this.document('flow_runs', runId);
    return (steps as Record<string, JsonObject>)[stepId] ?? {};
  }

  lease(runId: string, stepId: string): Promise<JsonObject> {
    return this.document('flow_runs', runId, 'step_leases', stepId);
  }

  objectPath(gsUri: string): string {
    const segments = gsUri.slice('gs://'.length).split('/').map(encodeURIComponent);
    return join(this.root, 'gcs', ...segments);
  }

  object(gsUri: string): Promise<Buffer> {
    return readFile(this.objectPath(gsUri));
  }

  /** A manifest, which met its schema. */
  async manifest(gsUri: unknown): Promise<ChartsOutputsManifest> {
    const checked = validateManifest(JSON.parse((await this.object(String(gsUri))).toString()));
    if (!checked.ok) throw new Error(checked.errors.join('; '));
    return checked.value;
  }

  /** Every object of every bucket, without what the store keeps beside it. */
  async objects(): Promise<string[]> {
    const files = Object.keys(await filesIn(join(this.root, 'gcs')));
    return files.filter((file) => !/(\/|\/\.[^/]*)$/.test(file)).sort();
  }

  /** The units that the ledger says were used today; `undefined`: it knows nothing of the account. */
  async unitsUsed(accountId: string): Promise<unknown> {
    const documents = await filesIn(join(this.root, 'firestore', 'chart_img_accounts_usage'));
    return documents[`${accountId}.json`] === undefined
      ? undefined
      : (await this.document('chart_img_accounts_usage', accountId)).usageToday;
  }
}

/** Every file below a folder with the hash of its bytes, every folder with a slash; `{}` for none. */
export async function filesIn(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const found = entries.map(async (entry) => {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path);
    return entry.isDirectory() ? [`${name}/`, ''] : [name, sha256(await readFile(path))];
  });
  return Object.fromEntries(await Promise.all(found));
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The summary on stdout: one line, nothing else, and as its schema says. */
export function summaryOn(stdout: string): RunSummary {
  const lines = stdout.split('\n');
  expect(lines, stdout).toEqual([expect.stringMatching(/^\{.*\}$/), '']);
  const checked = validateRunSummary(JSON.parse(lines[0] ?? ''));
  expect(checked).toMatchObject({ ok: true });
  return JSON.parse(lines[0] ?? '');
}
