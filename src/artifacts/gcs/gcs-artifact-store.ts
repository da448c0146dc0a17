import {
  type Bucket,
  type FileMetadata,
  Storage,
  type StorageOptions,
} from '@google-cloud/storage';
import { type Clock, systemClock } from '../../clock.js';
import { ConfigError, StoreUnavailable } from '../../failures.js';
import type {
  ArtifactStore,
  NewObject,
  ObjectInfo,
  ObjectName,
  PutResult,
} from '../artifact-store.js';
import { type Answer, TRIES, type TryLimits, tryBounded } from './bounded-tries.js';
import { crc32cOf } from './crc32c.js';
import { NoAnswer, SignInFailed, type StorageFailure } from './storage-errors.js';

export interface GcsSettings {
  /** Name without `gs://`. */
  readonly bucket: string;
  readonly projectId?: string | undefined;
  /** The emulator's URL with its scheme, as in STORAGE_EMULATOR_HOST. No credentials go there. */
  readonly emulator?: string | undefined;
  /** Signs the requests, also to an emulator; by default the application default credentials. */
  readonly auth?: Storage['authClient'] | undefined;
  readonly limits?: Partial<Limits>;
  readonly clock?: Clock;
}

interface Limits extends TryLimits {
  readonly pageSize: number;
  /** Of one folder; a step's folder has a few dozen objects. */
  readonly maxPages: number;
}

const LIMITS: Limits = { tryMs: 5_000, pauseMs: 500, pageSize: 1_000, maxPages: 10 };
/** A small question, and of the 15 s at the door others take their part. */
const PROBE_TRY_MS = 3_000;
/** Between the two calls of `get` the object may be overwritten, though hardly again and again. */
const GET_ROUNDS = 3;

/** Putting on a generation that exists needs `delete` besides `create`. */
const PERMISSIONS = ['create', 'delete', 'get', 'list'].map((verb) => `storage.objects.${verb}`);
const ROLE = 'roles/storage.objectAdmin';

/**
 * Objects in a Cloud Storage bucket. Importing this file loads the client library (0.2 s): whoever
 * needs it imports it late. Every operation is bounded by two tries of 5 s.
 */
export class GcsArtifactStore implements ArtifactStore {
  readonly bucket: string;
  readonly #bucket: Bucket;
  readonly #service: string;
  readonly #signIn: (() => Promise<unknown>) | undefined;
  #signedIn: Promise<unknown> | undefined;
  readonly #limits: Limits;
  readonly #clock: Clock;

  /** Throws `ConfigError` when the environment sends the library to another server than named. */
  constructor(settings: GcsSettings) {
    const { bucket, emulator, auth } = settings;
    this.bucket = bucket;
    this.#limits = { ...LIMITS, ...settings.limits };
    this.#clock = settings.clock ?? systemClock;
    const storage = openStorage(settings, this.#limits);
    this.#bucket = storage.bucket(bucket);
    this.#service = emulator === undefined ? 'Cloud Storage' : `the Storage emulator ${emulator}`;
    const signs = emulator === undefined || auth !== undefined;
    this.#signIn = signs ? () => storage.authClient.getAccessToken() : undefined;
  }

  /**
   * Asks which permissions we hold, a question that needs none itself. Listing would not do: the
   * bucket is public, so that anybody may list and read it, and that we may not write would show
   * only once the quota was spent. Emulators know no permissions: there, one object is listed.
   */
  async probe(): Promise<void> {
    const tryMs = Math.min(this.#limits.tryMs, PROBE_TRY_MS);
    const answer = await this.#try(
      async () => {
        if (this.#signIn) return (await this.#bucket.iam.testPermissions([...PERMISSIONS]))[0];
        await this.#bucket.getFiles({ maxResults: 1, autoPaginate: false });
        return Object.fromEntries(PERMISSIONS.map((permission) => [permission, true]));
      },
      { ...this.#limits, tryMs },
    );
    if (answer.kind !== 'done') throw this.#unusable(answer);
    const lacking = PERMISSIONS.filter((permission) => answer.value[permission] !== true);
    if (lacking.length > 0) {
      throw new ConfigError(
        `these Google credentials lack ${lacking.join(', ')} on gs://${this.bucket}: grant them ${ROLE} on the bucket`,
      );
    }
  }

  async put({ name, body, when, ...described }: NewObject): Promise<PutResult> {
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    const crc32c = crc32cOf(bytes);
    const ifGenerationMatch = when === 'absent' ? 0 : when.generation;
    const answer = await this.#try(async () => {
      const file = this.#bucket.file(name);
      // Made anew for each try: the library writes into the options that it is given.
      await file.save(bytes, {
        resumable: false,
        // The server compares the checksum and refuses what does not match. If the library were to
        // compare, it would store first and then delete the object, whoever wrote it meanwhile.
        validation: false,
        preconditionOpts: { ifGenerationMatch },
        metadata: {
          contentType: described.contentType,
          ...(described.cacheControl !== undefined && { cacheControl: described.cacheControl }),
          crc32c,
          metadata: { ...described.metadata },
        },
      });
      return generationOf(file.metadata);
    });
    if (answer.kind === 'refused') return { status: 'refused' };
    return { status: 'stored', generation: this.#valueOf(answer) };
  }

  async look(name: ObjectName): Promise<ObjectInfo | undefined> {
    const answer = await this.#try(async () => {
      const [metadata] = await this.#bucket.file(name).getMetadata();
      return infoOf(name, metadata);
    });
    return answer.kind === 'absent' ? undefined : this.#valueOf(answer);
  }

  /** Looks first: the headers of a download give the metadata's keys in lower case. */
  async get(name: ObjectName): Promise<(ObjectInfo & { readonly body: Uint8Array }) | undefined> {
    for (let round = 1; round <= GET_ROUNDS; round++) {
      const info = await this.look(name);
      if (!info) return undefined;
      const { generation } = info;
      const answer = await this.#try(async () => {
        const [body] = await this.#bucket.file(name, { generation }).download();
        return body;
      });
      if (answer.kind !== 'absent') return { ...info, body: this.#valueOf(answer) };
    }
    throw this.#unavailable(`${name} is overwritten again and again`);
  }

  async list(folder: string): Promise<ObjectInfo[]> {
    const { pageSize, maxPages } = this.#limits;
    const objects: ObjectInfo[] = [];
    let pageToken: string | undefined;
    for (let page = 1; page <= maxPages; page++) {
      const answer = await this.#try(() => this.#page(folder, pageSize, pageToken));
      const { items, nextPageToken } = this.#valueOf(answer);
      // The console's "folders" are empty objects of that very name.
      objects.push(...items.filter(({ name }) => name !== folder));
      // The service sorts by bytes of UTF-8, which is not always by code unit.
      if (nextPageToken === undefined) return objects.sort((a, b) => (a.name < b.name ? -1 : 1));
      pageToken = nextPageToken;
    }
    throw this.#unavailable(`${folder} holds more than ${pageSize * maxPages} objects`);
  }

  async delete(name: ObjectName, generation: string): Promise<boolean> {
    const answer = await this.#try(() =>
      this.#bucket.file(name).delete({ ifGenerationMatch: generation }),
    );
    if (answer.kind === 'absent' || answer.kind === 'refused') return false;
    this.#valueOf(answer);
    return true;
  }

  localPath(): undefined {
    return undefined;
  }

  async #page(prefix: string, maxResults: number, pageToken: string | undefined) {
    const [files, next] = await this.#bucket.getFiles({
      prefix,
      delimiter: '/',
      autoPaginate: false,
      maxResults,
      ...(pageToken !== undefined && { pageToken }),
    });
    const items = files.map(({ name, metadata }) => infoOf(name, metadata));
    return { items, nextPageToken: (next as { pageToken?: string } | null)?.pageToken };
  }

  #try<T>(work: () => Promise<T>, limits: TryLimits = this.#limits): Promise<Answer<T>> {
    const signed = async () => {
      await this.#ensureSignedIn();
      return work();
    };
    return tryBounded(signed, limits, this.#clock);
  }

  /** Once, before the first request: parallel uploads would each fetch a token of their own. */
  async #ensureSignedIn(): Promise<void> {
    if (!this.#signIn) return;
    this.#signedIn ??= this.#signIn();
    const signedIn = this.#signedIn;
    // A sign-in that hangs is bounded by nobody: the next try must not wait for the same one.
    const forget = setTimeout(() => this.#forget(signedIn), this.#limits.tryMs);
    try {
      await signedIn;
    } catch (error) {
      this.#forget(signedIn);
      throw new SignInFailed(error);
    } finally {
      clearTimeout(forget);
    }
  }

  #forget(signedIn: Promise<unknown>): void {
    if (this.#signedIn === signedIn) this.#signedIn = undefined;
  }

  #valueOf<T>(answer: Answer<T>): T {
    if (answer.kind === 'done') return answer.value;
    throw this.#unavailable(`${this.#reasonOf(answer)}; ${remedyOf(answer)}`);
  }

  /** The library's error is not kept as a cause: it carries the request, and that our token. */
  #unavailable(reason: string): StoreUnavailable {
    return new StoreUnavailable(`gs://${this.bucket} on ${this.#service}: ${reason}`);
  }

  #reasonOf(failure: StorageFailure): string {
    switch (failure.kind) {
      case 'absent':
        return 'there is no such bucket any more';
      case 'refused':
        return 'a precondition failed where there was none';
      case 'credentials':
        return 'the credentials are not accepted';
      case 'forbidden':
        return 'permission denied';
      case 'unclear':
        return `${failure.reason}, ${TRIES} times`;
      case 'impossible':
        return failure.reason;
    }
  }

  /** What a person can do before anything is claimed. */
  #unusable(failure: StorageFailure): ConfigError | StoreUnavailable {
    const uri = `gs://${this.bucket}`;
    switch (failure.kind) {
      case 'absent':
        return new ConfigError(
          `there is no bucket ${uri} on ${this.#service}: create it, or name another one`,
        );
      case 'credentials':
        return new ConfigError(
          `${this.#service} does not accept the Google credentials: sign in with \`gcloud auth application-default login\`, or set GOOGLE_APPLICATION_CREDENTIALS to a valid key file`,
        );
      case 'forbidden':
        return new ConfigError(
          `these Google credentials may not use ${uri}: grant them ${ROLE} on the bucket`,
        );
      case 'impossible':
        return new ConfigError(
          `${this.#service} cannot use ${uri} (${failure.reason}): check the bucket's name`,
        );
      case 'refused':
      case 'unclear':
        return this.#unavailable(
          `${this.#reasonOf(failure)}; check the network and the server, then run again`,
        );
    }
  }
}

/** What a person can do once there was work, which may go on by itself or be done again. */
function remedyOf({ kind }: StorageFailure): string {
  switch (kind) {
    case 'absent':
      return 'create it again';
    case 'credentials':
      return 'sign in with `gcloud auth application-default login`';
    case 'forbidden':
      return `grant these credentials ${ROLE} on the bucket`;
    case 'refused':
    case 'unclear':
    case 'impossible':
      return 'check the network and the server, then try again';
  }
}

function openStorage({ emulator, projectId, auth }: GcsSettings, { tryMs }: Limits): Storage {
  const endpoint = emulator?.replace(/\/+$/, '');
  const storage = new Storage({
    ...(endpoint !== undefined && { apiEndpoint: endpoint }),
    ...(projectId !== undefined && { projectId }),
    ...(auth !== undefined && {
      // The same class; its type parameter is narrower here than on the client's own property.
      authClient: auth as NonNullable<StorageOptions['authClient']>,
      useAuthWithCustomEndpoint: true,
    }),
    // The only bound that ends an upload; `save({timeout})` is ignored.
    timeout: tryMs,
    // Tries are ours: left alone, an upload becomes four requests in 9 to 12 s. `maxRetries: 0`
    // would mean 3.
    retryOptions: { autoRetry: false },
  });
  // The library reads STORAGE_EMULATOR_HOST by itself, and sends half of its calls there whatever
  // the caller asked for.
  const wanted = endpoint ?? 'https://storage.googleapis.com';
  if (storage.apiEndpoint !== wanted || !storage.baseUrl.startsWith(wanted)) {
    throw new ConfigError(
      `STORAGE_EMULATOR_HOST in the environment is not where this run should go (${wanted}): unset it, or set it to that`,
    );
  }
  return storage;
}

function infoOf(name: ObjectName, file: FileMetadata): ObjectInfo {
  const pairs = Object.entries(file.metadata ?? {}).map(([key, value]) => [key, String(value)]);
  return {
    name,
    generation: generationOf(file),
    size: Number(file.size),
    metadata: Object.fromEntries(pairs),
  };
}

function generationOf({ generation }: FileMetadata): string {
  // An answer without it, of a proxy perhaps, is none.
  if (generation === undefined) throw new NoAnswer('no generation in the answer');
  return String(generation);
}
