import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runNode, runNpm } from './process.js';

/** Kept from run to run: each is 100 MB. */
const NODES = join(tmpdir(), 'worker-chart-export-nodes');

export interface Node {
  readonly version: string;
  readonly path: string;
}

/** Node of this major, from the npm package `node`; rejects where it cannot be had. */
export async function nodeOf(major: number): Promise<Node> {
  const folder = join(NODES, String(major));
  const path = join(folder, 'node_modules/node/bin/node');
  const kept = await versionOf(path).catch(() => undefined);
  if (kept !== undefined) return { path, version: kept };
  await mkdir(folder, { recursive: true });
  await runNpm(['install', '--no-audit', '--no-fund', '--prefix', folder, `node@${major}`]);
  return { path, version: await versionOf(path) };
}

async function versionOf(node: string): Promise<string> {
  return (await runNode(['--version'], { node })).stdout.trim();
}
