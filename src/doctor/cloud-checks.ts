import { randomUUID } from 'node:crypto';
import type { GcsArtifactStore } from '../artifacts/gcs/gcs-artifact-store.js';
import type { CloudConfig } from '../config/cloud-config.js';
import type { Inspected } from '../config/run-config.js';
import { ConfigError } from '../failures.js';
import { type Credentials, findCredentials } from '../worker/google-door.js';
import { clockSkew } from './clock-check.js';
import { examine, type Finding, failed, ok, skipped } from './finding.js';
import { faultsOf, templatesFinding } from './machine-checks.js';

const PROBES = 'charts-doctor/';
/** The first of more are enough to see whether they can be read. */
const MOST_TEMPLATES = 300;
/** One try at Storage: there are four questions, and 18 s in all. */
const TRY_MS = 2_000;

/** Everything that is asked of Google. */
export async function cloudChecks(
  { config, isBucketGiven, credentialsFile }: Inspected,
  cloud: CloudConfig,
  { write, untilMs }: { readonly write: boolean; readonly untilMs: number },
): Promise<readonly Finding[]> {
  const { firestoreEmulatorHost, storageEmulatorUrl } = cloud;
  const onEmulators = firestoreEmulatorHost !== undefined && storageEmulatorUrl !== undefined;
  let credentials: Credentials | undefined;
  const found = onEmulators
    ? [skipped('credentials', 'emulators need none')]
    : await examine('credentials', untilMs, async () => {
        credentials = await findCredentials(cloud.projectId);
        return ok('credentials', whoIs(credentials, credentialsFile));
      });

  const projectId = cloud.projectId ?? credentials?.projectId;
  const project = projectId
    ? ok('project', projectId)
    : failed(
        'project',
        'none is known',
        'name one with --project or GOOGLE_CLOUD_PROJECT, or use credentials that belong to one',
      );
  const noCredentials = 'there are no credentials';
  // Without credentials their clients would look for some for many seconds, one try after another.
  const isSignedIn = onEmulators || credentials !== undefined;
  const database =
    projectId === undefined
      ? [skipped('database', 'no project is known')]
      : isSignedIn || firestoreEmulatorHost !== undefined
        ? examine('database', untilMs, () => databaseCheck(projectId, cloud, config.templatesDir))
        : [skipped('database', noCredentials)];
  const noBucket = (why: string) => ['bucket', 'write'].map((name) => skipped(name, why));
  const bucket = !isBucketGiven
    ? noBucket('none was named: see config')
    : isSignedIn || storageEmulatorUrl !== undefined
      ? bucketChecks(config.bucket, cloud, { write, untilMs })
      : noBucket(noCredentials);
  return [...found, project, ...(await database), ...(await bucket)];
}

function whoIs({ type, account, isFile }: Credentials, file = 'gcloud’s own file'): string {
  const from = isFile ? `, from ${file}` : '';
  return `${type}${account ? ` ${account}` : ''}${from}`;
}

/** One read for all that is asked of the database: it, its templates, its clock. */
async function databaseCheck(
  projectId: string,
  { database, firestoreEmulatorHost: emulatorHost }: CloudConfig,
  templatesDir: string | undefined,
): Promise<readonly Finding[]> {
  const { FirestoreDocumentStore } = await import(
    '../documents/firestore/firestore-document-store.js'
  );
  const store = new FirestoreDocumentStore({ projectId, database, emulatorHost });
  try {
    // The first call also loads and connects: its time says nothing of a clock.
    const { documents } = await store.list('chart_templates', { limit: MOST_TEMPLATES });
    const askedAtMs = Date.now();
    const { readTimeMs: serverMs } = await store.read(['chart_templates/charts-doctor']);
    const heardAtMs = Date.now();
    const where = emulatorHost === undefined ? '' : ` on the emulator at ${emulatorHost}`;
    const wrong = documents.flatMap(({ id, data }) => faultsOf(id, data));
    const more = documents.length === MOST_TEMPLATES ? ' or more' : '';
    const templates =
      documents.length === 0 && templatesDir === undefined
        ? failed(
            'templates',
            'none in Firestore',
            'put them into the collection chart_templates, or name a folder with --templates-dir',
          )
        : templatesFinding([`${documents.length}${more} in Firestore`], wrong);
    return [
      ok('database', `${database}${where} answers`),
      templates,
      clockSkew({ server: 'Firestore', serverMs, askedAtMs, heardAtMs }),
    ];
  } finally {
    await store.close();
  }
}

async function bucketChecks(
  bucket: string,
  { storageEmulatorUrl: emulator, proxy }: CloudConfig,
  { write, untilMs }: { readonly write: boolean; readonly untilMs: number },
): Promise<readonly Finding[]> {
  const uri = `gs://${bucket}`;
  let store: GcsArtifactStore | undefined;
  const readable = await examine('bucket', untilMs, async () => {
    const { GcsArtifactStore } = await import('../artifacts/gcs/gcs-artifact-store.js');
    const opened = new GcsArtifactStore({ bucket, emulator, proxy, limits: { tryMs: TRY_MS } });
    await opened.probe();
    await opened.list(PROBES);
    store = opened;
    return ok('bucket', `${uri}${emulator ? ` on the emulator ${emulator}` : ''} can be read`);
  });
  const opened = store;
  if (!opened) return [...readable, skipped('write', 'the bucket cannot be read')];
  if (!write) return [...readable, skipped('write', 'only with --write')];
  return [...readable, ...(await writeCheck(opened, untilMs))];
}

/** A real put and a real delete: rights on paper are not the whole story (a retention policy). */
async function writeCheck(store: GcsArtifactStore, untilMs: number): Promise<readonly Finding[]> {
  const name = `${PROBES}${new Date().toISOString().replaceAll(/[-:.]/g, '')}-${randomUUID()}.txt`;
  const uri = `gs://${store.bucket}/${name}`;
  const [finding] = await examine('write', untilMs, async () => {
    const body = Buffer.from('a probe of worker-chart-export doctor; it may be deleted\n');
    const object = { name, body, contentType: 'text/plain', metadata: {}, when: 'absent' } as const;
    const put = await store.put(object);
    // A put whose first reply was lost is refused at its second try: the object is there all the same.
    const generation = put.status === 'stored' ? put.generation : undefined;
    const stored = generation ?? (await store.look(name))?.generation;
    if (stored === undefined || !(await store.delete(name, stored))) {
      throw new ConfigError(`a probe was put, and could not be deleted; delete ${uri}`);
    }
    return ok('write', `${uri} was put and deleted`);
  });
  if (!finding || finding.state === 'ok') return finding ? [finding] : [];
  return [{ ...finding, remedy: `${finding.remedy}; if ${uri} is there, delete it` }];
}
