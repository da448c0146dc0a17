import { GcsArtifactStore } from '../../src/artifacts/gcs/gcs-artifact-store.js';
import type { ChartProvider } from '../../src/chart-img/chart-provider.js';
import { FixtureProvider } from '../../src/chart-img/fixture-provider.js';
import { systemClock } from '../../src/clock.js';
import { bundled } from '../../src/config/bundled.js';
import type { Account } from '../../src/contracts/documents.js';
import {
  type FirestoreBounds,
  FirestoreDocumentStore,
} from '../../src/documents/firestore/firestore-document-store.js';
import { TemplateFolders } from '../../src/documents/local/template-folders.js';
import type { StepOutcome } from '../../src/engine/outcome.js';
import { runStep } from '../../src/engine/run-step.js';
import { thisProcess } from '../../src/local-disk/process-identity.js';
import { Logger } from '../../src/log/logger.js';
import { BUCKET, type GcpScene } from './gcp-step-scene.js';
import { STEP_ID } from './step-scene.js';

export const fixtures = new FixtureProvider([bundled.fixtures]);

export interface EngineOptions {
  readonly accounts: readonly Account[];
  readonly provider?: ChartProvider;
  readonly logger?: Logger;
  readonly replay?: boolean;
  readonly leaseTtlMs?: number;
  readonly firestore?: FirestoreBounds;
  /** Of one request to Storage. */
  readonly tryMs?: number;
}

/**
 * The step in this process, as the program wires it, but with a ledger that is written: from the
 * command line fixtures are never counted in Firestore.
 */
export async function runEngine(
  { proxy, storage, projectId, runId }: GcpScene,
  {
    accounts,
    provider = fixtures,
    logger = new Logger(() => undefined),
    replay = false,
    leaseTtlMs = 90_000,
    firestore,
    tryMs,
  }: EngineOptions,
): Promise<StepOutcome> {
  const target = { projectId, database: '(default)', emulatorHost: proxy.host };
  const documents = new FirestoreDocumentStore(target, firestore);
  try {
    return await runStep(
      {
        runId,
        stepId: STEP_ID,
        asGiven: undefined,
        replay,
        ignoreDependencies: false,
        tolerateAbsentDependencies: true,
        dryRun: false,
      },
      {
        documents,
        artifacts: new GcsArtifactStore({
          bucket: BUCKET,
          emulator: storage.url,
          limits: { pauseMs: 20, ...(tryMs !== undefined && { tryMs }) },
        }),
        templates: new TemplateFolders([bundled.templates]),
        provider,
        accounts,
        owner: thisProcess(),
        ownerIsGone: () => false,
        clock: systemClock,
        logger,
        signal: new AbortController().signal,
        settings: {
          concurrency: 1,
          timeoutMs: 60_000,
          leaseTtlMs,
          timezone: 'Etc/UTC',
          chartsApiMode: 'mock',
          isLive: false,
        },
      },
    );
  } finally {
    await documents.close();
  }
}
