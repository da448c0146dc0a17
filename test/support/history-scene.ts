import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalArtifactStore } from '../../src/artifacts/local/local-artifact-store.js';
import { LocalDocumentStore } from '../../src/documents/local/local-document-store.js';
import type { Snapshot } from '../../src/library/snapshots/snapshot.js';
import { Workspace } from '../../src/local-disk/workspace.js';
import { aSnapshot } from './library-samples.js';

const DAY_MS = 86_400_000;
const SYMBOLS = ['DAX', 'NDX', 'DJI', 'EURUSD', 'EURGBP'];
const TIMEFRAMES = ['1h', '4h', '1D'];

/** A history of charts, every other one expired, from today back over twice the retention. */
export function aHistory(count: number, bucket = 'local'): Snapshot[] {
  const nowMs = Date.now();
  return Array.from({ length: count }, (_, index) => {
    const symbol = SYMBOLS[index % SYMBOLS.length] as string;
    const timeframe = TIMEFRAMES[index % TIMEFRAMES.length] as string;
    const isOld = index % 2 === 1;
    const ageMs = (index / count) * 59 * DAY_MS + (isOld ? 61 * DAY_MS : 0);
    return aSnapshot({
      symbol,
      timeframe,
      interval: timeframe,
      generatedAt: new Date(nowMs - 60_000 - ageMs).toISOString(),
      uri: `gs://${bucket}/library/${symbol}/${timeframe}/${index}.png`,
    });
  });
}

export function isExpired({ expiresAt }: Snapshot): boolean {
  return Date.parse(expiresAt) <= Date.now();
}

export function objectOf({ uri }: Snapshot): string {
  return uri.split('/').slice(3).join('/');
}

/** Writes a workspace's files as they would stand there, without its lock: ten thousand take seconds. */
export async function seedWorkspace(cwd: string, snapshots: readonly Snapshot[]): Promise<string> {
  const root = join(cwd, '.worker-chart-export');
  const workspace = Workspace.peek(root);
  const documents = new LocalDocumentStore(workspace);
  const folders = new Set<string>();
  const write = async (file: string, text: string) => {
    const folder = join(file, '..');
    if (!folders.has(folder)) await mkdir(folder, { recursive: true });
    folders.add(folder);
    await writeFile(file, text);
  };
  for (let at = 0; at < snapshots.length; at += 100) {
    await Promise.all(
      snapshots.slice(at, at + 100).map(async (snapshot) => {
        const { id, ...data } = snapshot;
        const bucket = snapshot.uri.split('/')[2] as string;
        const artifacts = new LocalArtifactStore(workspace, bucket);
        await write(documents.fileOf(`chart_snapshots/${id}`), JSON.stringify(data));
        await write(artifacts.localPath(objectOf(snapshot)), `picture of ${id}`);
      }),
    );
  }
  return root;
}
