import { type ProxySettings, proxyOf } from '../http/proxy.js';
import { isProduction, quoted, type Source } from './source.js';

/** Where the gcp backend finds Firestore and Cloud Storage. */
export interface CloudConfig {
  /** `undefined`: the one that the credentials name. */
  readonly projectId: string | undefined;
  readonly database: string;
  /** `host:port`. */
  readonly firestoreEmulatorHost: string | undefined;
  /** With its scheme. */
  readonly storageEmulatorUrl: string | undefined;
  /** On the way to both. */
  readonly proxy: ProxySettings;
}

/** Where the gcp backend finds its services; what is wrong is added to the source's problems. */
export function cloudConfig(source: Source, needs: { readonly bucket: boolean }): CloudConfig {
  const { env, problems } = source;
  const check = (name: string, value: string | undefined, form: RegExp, like: string) => {
    if (value !== undefined && !form.test(value)) {
      problems.push(`${name}: ${quoted(value)} is not ${like}`);
    }
    return value;
  };
  if (needs.bucket && source.of('chartsBucket').value === undefined) {
    problems.push(
      source.hasFlags
        ? '--backend gcp needs a bucket: name it with --charts-bucket or CHARTS_BUCKET'
        : 'a bucket is needed: set CHARTS_BUCKET',
    );
  }
  const project = source.of('project');
  const database = source.of('database');
  // Empty, it was meant to be somewhere: Cloud Storage itself is surely not what was wanted.
  const storage = env.STORAGE_EMULATOR_HOST;
  const cloud: CloudConfig = {
    projectId: check(project.name, project.value, /^[a-z][a-z0-9:.-]{2,62}$/, 'a project id'),
    database:
      check(
        database.name,
        database.value,
        /^(\(default\)|[a-z][a-z0-9-]{2,62})$/,
        'a database id',
      ) ?? '(default)',
    firestoreEmulatorHost: check(
      'FIRESTORE_EMULATOR_HOST',
      env.FIRESTORE_EMULATOR_HOST || undefined,
      /^[^\s/]+:[0-9]+$/,
      'host:port',
    ),
    storageEmulatorUrl: check(
      'STORAGE_EMULATOR_HOST',
      storage,
      /^https?:\/\/[^\s/]+$/,
      'like http://host:port; unset it to reach Cloud Storage',
    ),
    proxy: proxyOf(env),
  };
  const { firestoreEmulatorHost, storageEmulatorUrl } = cloud;
  if (isProduction(env) && (firestoreEmulatorHost ?? storageEmulatorUrl) !== undefined) {
    problems.push(
      'FIRESTORE_EMULATOR_HOST and STORAGE_EMULATOR_HOST are refused in production (TDA_ENV or ENV): unset them',
    );
  }
  return cloud;
}
