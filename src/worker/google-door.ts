import type { CloudConfig } from '../config/cloud-config.js';
import { ConfigError, reasonOf } from '../failures.js';
import { SCOPE } from '../google/sign-in.js';

/** Looking for credentials asks the metadata server, which may be silent. */
const CREDENTIALS_MS = 4_000;

const REMEDY =
  'run "gcloud auth application-default login", or name a key file in GOOGLE_APPLICATION_CREDENTIALS';

/**
 * The project to work in, once it is known that there are credentials where they are needed: that
 * there are none is then said in one sentence, before any service is asked. Rejects with `ConfigError`.
 */
export async function findProject(cloud: CloudConfig): Promise<string> {
  const { projectId, firestoreEmulatorHost, storageEmulatorUrl } = cloud;
  const onEmulators = firestoreEmulatorHost !== undefined && storageEmulatorUrl !== undefined;
  const found = onEmulators ? undefined : (await findCredentials(projectId)).projectId;
  const project = projectId ?? found;
  if (project !== undefined) return project;
  throw new ConfigError('no Google Cloud project: name one with --project or GOOGLE_CLOUD_PROJECT');
}

/** Who we are to Google; nothing in here is secret. */
export interface Credentials {
  /** In words: `service account`. */
  readonly type: string;
  /** They lie in a file: the one of GOOGLE_APPLICATION_CREDENTIALS, else gcloud’s own. */
  readonly isFile: boolean;
  /** An e-mail address; `undefined`: they name none. */
  readonly account: string | undefined;
  readonly projectId: string | undefined;
}

/**
 * The application default credentials. Rejects with `ConfigError` when there are none. With a known
 * project the library does not ask the metadata server for one, which may take longer than we wait.
 */
export async function findCredentials(known: string | undefined): Promise<Credentials> {
  const { GoogleAuth } = await import('google-auth-library');
  const auth = new GoogleAuth({
    scopes: SCOPE,
    ...(known !== undefined && { projectId: known }),
  });
  try {
    await within(auth.getClient());
  } catch (error) {
    const words = reasonOf(error);
    throw new ConfigError(
      /default credentials/i.test(words)
        ? `no Google credentials: ${REMEDY}`
        : `the Google credentials cannot be used: ${plain(error)}; ${REMEDY}`,
    );
  }
  const projectId = await within(auth.getProjectId()).catch(() => undefined);
  const { type, client_email: account } = (auth.jsonContent ?? {}) as Readonly<
    Record<string, unknown>
  >;
  return {
    type: TYPES[String(type)] ?? 'those of this machine',
    isFile: type !== undefined,
    account: typeof account === 'string' ? account : undefined,
    projectId,
  };
}

const TYPES: Readonly<Record<string, string>> = {
  authorized_user: 'a person',
  external_account: 'workload identity',
  impersonated_service_account: 'impersonated service account',
  service_account: 'service account',
};

/** The library trips over a file that holds `null`, and ends its sentences with a full stop. */
function plain(error: unknown): string {
  if (error instanceof TypeError) return 'they are not a JSON object';
  return (reasonOf(error).split('\n')[0] ?? '').replace(/[.\s]+$/, '');
}

async function within<T>(call: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = 'Could not load the default credentials: no answer from the metadata server';
    timer = setTimeout(() => reject(new Error(message)), CREDENTIALS_MS);
  });
  call.catch(() => undefined);
  return Promise.race([call, late]).finally(() => clearTimeout(timer));
}
