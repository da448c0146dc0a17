import { join } from 'node:path';
import type { ArtifactStore } from '../../src/artifacts/artifact-store.js';
import { GcsArtifactStore } from '../../src/artifacts/gcs/gcs-artifact-store.js';
import { LocalArtifactStore } from '../../src/artifacts/local/local-artifact-store.js';
import { gsUri } from '../../src/artifacts/object-names.js';
import type { Account, JsonObject } from '../../src/contracts/documents.js';
import type { DocumentStore } from '../../src/documents/document-store.js';
import { LocalDocumentStore } from '../../src/documents/local/local-document-store.js';
import { paths } from '../../src/documents/paths.js';
import type { LibraryOptions } from '../../src/library/index.js';
import { Workspace } from '../../src/local-disk/workspace.js';
import { emptyFolder } from './cli-run.js';
import { filesIn } from './cli-workspace.js';
import type { FakeChartImg } from './fake-chart-img/fake-chart-img.js';
import { whyNoEmulator } from './firestore-emulator.js';
import { BUCKET, GcpScene } from './gcp-scene.js';
import { fakeFor } from './live-scene.js';

type Cleanup = (undo: () => Promise<void>) => void;

export const LIBRARY_ACCOUNT: Account = {
  id: 'acc-1',
  apiKey: 'not-a-real-key-0123456789',
  plan: 'PRO',
  requestsPerSecond: 1_000,
  burst: 1_000,
};

/** The library in real mode before a fake Chart-IMG, on either backend. */
export interface LibraryScene {
  readonly name: string;
  readonly cwd: string;
  readonly fake: FakeChartImg;
  /** Opens the library, or describes it to another process. */
  readonly options: Omit<LibraryOptions, 'log'>;
  /** The command line's, for the same place. */
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly documents: DocumentStore;
  /** Names of all PNGs. */
  pictures(): Promise<string[]>;
  object(gsUri: string): Promise<Buffer>;
  remove(gsUri: string): Promise<void>;
  /** How many documents a collection has. */
  count(collection: string): Promise<number>;
  usage(accountId?: string): Promise<JsonObject | undefined>;
}

interface SceneOptions {
  readonly accounts?: readonly Account[];
  readonly latencyMs?: number;
  /** Of leases that nobody beats. */
  readonly leaseTtlSeconds?: number;
}

async function sceneOf(
  onTestFinished: Cleanup,
  { accounts = [LIBRARY_ACCOUNT], latencyMs = 0, leaseTtlSeconds = 90 }: SceneOptions,
  place: Omit<LibraryScene, 'fake' | 'options' | 'count' | 'usage'>,
): Promise<LibraryScene> {
  const unlimited = { requestsPerSecond: 'unlimited' } as const;
  const keys = accounts.map(({ apiKey }) => ({ apiKey, plan: 'PRO', ...unlimited }) as const);
  const fake = await fakeFor(onTestFinished, { keys, latencyMs });
  const env = {
    ...place.env,
    CHART_IMG_BASE_URL: fake.url,
    CHARTS_LEASE_TTL_SECONDS: String(leaseTtlSeconds),
  };
  const { cwd, documents, name } = place;
  const isLocal = name === 'local';
  return {
    ...place,
    fake,
    env: { ...env, CHART_IMG_ACCOUNTS_JSON: JSON.stringify(accounts) },
    options: {
      ...{ cwd, env, accounts, mode: 'real' },
      ...(isLocal ? { backend: 'local' } : { backend: 'gcp', bucket: BUCKET }),
    },
    count: async (collection) =>
      (await documents.list(collection, { limit: 1_000 })).documents.length,
    usage: async (accountId = 'acc-1') => {
      const path = paths.usage(accountId);
      return (await documents.read([path])).get(path)?.data;
    },
  };
}

function objectsIn(artifacts: ArtifactStore): Pick<LibraryScene, 'object' | 'remove'> {
  const nameOf = (uri: string) => uri.slice(gsUri(artifacts.bucket, '').length);
  const there = async (uri: string) => {
    const found = await artifacts.get(nameOf(uri));
    if (!found) throw new Error(`there is no ${uri}`);
    return found;
  };
  return {
    object: async (uri) => Buffer.from((await there(uri)).body),
    remove: async (uri) => {
      await artifacts.delete(nameOf(uri), (await there(uri)).generation);
    },
  };
}

async function localScene(onTestFinished: Cleanup, options: SceneOptions): Promise<LibraryScene> {
  const cwd = await emptyFolder(onTestFinished);
  const root = join(cwd, '.worker-chart-export');
  const workspace = await Workspace.open(root);
  onTestFinished(() => workspace.close());
  return sceneOf(onTestFinished, options, {
    ...{ name: 'local', cwd, flags: [], env: {} },
    documents: new LocalDocumentStore(workspace),
    ...objectsIn(new LocalArtifactStore(workspace, 'local')),
    pictures: async () =>
      Object.keys(await filesIn(join(root, 'gcs'))).filter((file) => file.endsWith('.png')),
  });
}

async function gcpScene(onTestFinished: Cleanup, options: SceneOptions): Promise<LibraryScene> {
  const scene = await GcpScene.open(onTestFinished);
  return sceneOf(onTestFinished, options, {
    ...{ name: 'gcp', cwd: scene.cwd, env: scene.env },
    flags: ['--backend', 'gcp', '--charts-bucket', BUCKET],
    documents: scene.documents,
    ...objectsIn(new GcsArtifactStore({ bucket: BUCKET, emulator: scene.storage.url })),
    pictures: async () =>
      scene.storage.objects(BUCKET).flatMap(({ name }) => (name.endsWith('.png') ? [name] : [])),
  });
}

export const LIBRARY_SCENES = [
  { name: 'local', open: localScene, skip: false },
  { name: `gcp ${whyNoEmulator ?? ''}`, open: gcpScene, skip: Boolean(whyNoEmulator) },
] as const;
