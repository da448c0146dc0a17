import { LocalArtifactStore } from '../../src/artifacts/local/local-artifact-store.js';
import { FixtureProvider } from '../../src/chart-img/fixture-provider.js';
import { systemClock } from '../../src/clock.js';
import { bundled } from '../../src/config/bundled.js';
import type { Account, JsonObject } from '../../src/contracts/documents.js';
import type { CommitResult, DocumentStore, Write } from '../../src/documents/document-store.js';
import { LocalDocumentStore } from '../../src/documents/local/local-document-store.js';
import { TemplateFolders } from '../../src/documents/local/template-folders.js';
import { paths } from '../../src/documents/paths.js';
import type { EngineDeps, StepRequest } from '../../src/engine/deps.js';
import type { StepOutcome } from '../../src/engine/outcome.js';
import { runStep } from '../../src/engine/run-step.js';
import { isGone, thisProcess } from '../../src/local-disk/process-identity.js';
import { Workspace } from '../../src/local-disk/workspace.js';
import { Logger } from '../../src/log/logger.js';
import { emptyFolder, flowRun } from './cli-run.js';

/** What becomes of one commit; `apply` does it, now or whenever it is called. */
export type Fate = (apply: () => Promise<CommitResult>) => Promise<CommitResult>;

const NO_ANSWER: CommitResult = { status: 'unclear', cause: new Error('no answer came') };

/** Applied, and nobody hears of it. */
export const replyLost: Fate = async (apply) => {
  await apply();
  return NO_ANSWER;
};

/** Given up for lost, and applied later: when `land` is called. */
export function late(): { fate: Fate; land: () => Promise<CommitResult> } {
  let land = (): Promise<CommitResult> => Promise.reject(new Error('nothing was sent yet'));
  return {
    fate: async (apply) => {
      land = apply;
      return NO_ANSWER;
    },
    land: () => land(),
  };
}

export const EIGHT_CHARTS_ACCOUNT: Account = {
  id: 'acc-1',
  apiKey: 'not-a-real-key-0123456789',
  dailyLimit: 8,
};

/** The real engine in this process, on a workspace of its own, its commits in the test's hands. */
export class EngineScene {
  readonly documents: LocalDocumentStore;
  readonly artifacts: LocalArtifactStore;
  readonly #commits: Write[][] = [];

  private constructor(workspace: Workspace) {
    this.documents = new LocalDocumentStore(workspace);
    this.artifacts = new LocalArtifactStore(workspace, 'local');
  }

  static async open(
    onTestFinished: (undo: () => Promise<void>) => void,
    step: JsonObject = {},
  ): Promise<EngineScene> {
    const scene = new EngineScene(await Workspace.open(await emptyFolder(onTestFinished)));
    const data = flowRun(step);
    await scene.documents.commit([{ kind: 'put', path: paths.flowRun(String(data.runId)), data }]);
    return scene;
  }

  /** Does the run's first step; `fates[n]` decides on its n-th commit. */
  run(
    options: {
      readonly fates?: Readonly<Record<number, Fate>>;
      readonly beforeRead?: (commitsSoFar: number) => Promise<unknown>;
      readonly deps?: Partial<EngineDeps>;
      readonly replay?: boolean;
      readonly only?: StepRequest['only'];
      readonly runId?: string;
    } = {},
  ): Promise<StepOutcome> {
    const { fates = {}, beforeRead, deps, replay = false, only } = options;
    const { runId = '20251221-120000_BTCUSDT_demo' } = options;
    let commits = 0;
    const documents: DocumentStore = {
      read: async (wanted) => {
        await beforeRead?.(commits);
        return this.documents.read(wanted);
      },
      list: (collection, page) => this.documents.list(collection, page),
      commit: (writes) => {
        const apply = () => this.documents.commit(writes);
        this.#commits.push([...writes]);
        return (fates[commits++] ?? ((now) => now()))(apply);
      },
    };
    return runStep(
      {
        runId,
        stepId: undefined,
        asGiven: undefined,
        replay,
        ...(only !== undefined && { only }),
        ignoreDependencies: false,
        tolerateAbsentDependencies: false,
        dryRun: false,
      },
      {
        documents,
        artifacts: this.artifacts,
        provider: new FixtureProvider([bundled.fixtures]),
        templates: new TemplateFolders([bundled.templates]),
        accounts: [EIGHT_CHARTS_ACCOUNT],
        owner: thisProcess(),
        ownerIsGone: isGone,
        clock: systemClock,
        logger: new Logger(() => undefined),
        signal: new AbortController().signal,
        settings: {
          concurrency: 4,
          timeoutMs: 20_000,
          leaseTtlMs: 60_000,
          timezone: 'Etc/UTC',
          chartsApiMode: 'mock',
          isLive: false,
        },
        ...deps,
      },
    );
  }

  async document(path: string): Promise<JsonObject | undefined> {
    return (await this.documents.read([path])).get(path)?.data;
  }

  unitsUsed(): Promise<unknown> {
    return this.document(paths.usage(EIGHT_CHARTS_ACCOUNT.id)).then((usage) => usage?.usageToday);
  }
}
