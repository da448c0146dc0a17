import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GcsArtifactStore } from '../../src/artifacts/gcs/gcs-artifact-store.js';
import { FixtureProvider } from '../../src/chart-img/fixture-provider.js';
import { systemClock } from '../../src/clock.js';
import { bundled } from '../../src/config/bundled.js';
import type { JsonObject } from '../../src/contracts/documents.js';
import { paths } from '../../src/documents/paths.js';
import type { EngineDeps } from '../../src/engine/deps.js';
import { Logger } from '../../src/log/logger.js';
import { BUCKET, type GcpScene } from './gcp-scene.js';

const SETTINGS: EngineDeps['settings'] = {
  concurrency: 10,
  timeoutMs: 60_000,
  leaseTtlMs: 90_000,
  timezone: 'Etc/UTC',
  chartsApiMode: 'mock',
  isLive: false,
};

/** What the engine works with in this scene; quiet, and with charts that cost nothing. */
export function depsIn(scene: GcpScene, changes: Partial<EngineDeps> = {}): EngineDeps {
  return {
    documents: scene.documents,
    artifacts: new GcsArtifactStore({ bucket: BUCKET, emulator: scene.storage.url }),
    provider: new FixtureProvider([bundled.fixtures]),
    templates: { find: async () => undefined },
    accounts: [],
    owner: { host: 'test', pid: process.pid, started: randomUUID() },
    ownerIsGone: () => false,
    clock: systemClock,
    logger: new Logger(() => undefined),
    signal: new AbortController().signal,
    settings: SETTINGS,
    ...changes,
  };
}

/** Templates in Firestore, where the engine looks first; all drawn alike. */
export async function putTemplates(scene: GcpScene, ids: readonly string[]): Promise<void> {
  const file = join(bundled.templates, 'ctpl_price_ma1226_vol_v1.json');
  const model: JsonObject = JSON.parse(await readFile(file, 'utf8'));
  await Promise.all(ids.map((id) => scene.put(paths.template(id), { ...model, id })));
}

/** A run of READY steps, each of which asks for these charts. */
export function runOfSteps(
  runId: string,
  stepIds: readonly string[],
  templates: readonly string[],
): JsonObject {
  const step = {
    stepType: 'CHART_EXPORT',
    status: 'READY',
    timeframe: '1h',
    inputs: { requests: templates.map((chartTemplateId) => ({ chartTemplateId })) },
    outputs: {},
  };
  return {
    schemaVersion: 1,
    runId,
    status: 'RUNNING',
    scope: { symbol: 'BTCUSDT' },
    steps: Object.fromEntries(stepIds.map((stepId) => [stepId, step])),
  };
}

/** Whether a write puts a lease in this state. */
export function putsLease(
  write: { readonly kind: string; readonly path: string; readonly data?: JsonObject },
  state: 'ACTIVE' | 'RELEASED' | 'DONE',
): boolean {
  return write.path.includes('/step_leases/') && write.data?.state === state;
}
