import { type Clock, systemClock } from '../../clock.js';
import { ConfigError, StoreUnavailable } from '../../failures.js';
import { NoAnswer } from '../../google/api-errors.js';
import type {
  ArtifactStore,
  NewObject,
  ObjectInfo,
  ObjectName,
  PutResult,
} from '../artifact-store.js';
import { type Answer, TRIES, type TryLimits, tryBounded } from './bounded-tries.js';
import { type ObjectResource, StorageClient, type StorageTarget } from './storage-client.js';
import type { StorageFailure } from './storage-errors.js';

export interface GcsSettings extends StorageTarget {
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
 * Objects in a Cloud Storage bucket. Importing this file loads got (0.1 s):
 * whoever needs it imports it late. Every operation is bounded by two tries of 5 s.
 */
export class GcsArtifactStore implements ArtifactStore {
  readonly bucket: string;
  readonly #client: StorageClient;
  readonly #service: string;
  readonly #limits: Limits;
  readonly #clock: Clock;

  /** Throws `ConfigError` when the proxy cannot be used. */
  constructor({ limits, clock = systemClock, ...target }: GcsSettings) {
    const { bucket, emulator } = target;
    this.bucket = bucket;
    this.#client = new StorageClient(target);
    this.#service = emulator === undefined ? 'Cloud Storage' : `the Storage emulator ${emulator}`;
    this.#limits = { ...LIMITS, ...limits };
    this.#clock = clock;
  }

  /**
   * Asks which permissions we hold, a question that needs none itself. Listing would not do: the
   * bucket is public, so that anybody may list and read it, and that we may not write would show
   * only once the quota was spent. Emulators know no permissions: there, one object is listed.
   */
  async probe(): Promise<void> {
    const tryMs = Math.min(this.#limits.tryMs, PROBE_TRY_MS);
    const answer = await this.#try(
      async (signal) => {
        if (this.#client.isSigned) return this.#client.testPermissions(PERMISSIONS, signal);
        await this.#client.list('', { pageSize: 1 }, signal);
        return PERMISSIONS;
      },
      { ...this.#limits, tryMs },
    );
    if (answer.kind !== 'done') throw this.#unusable(answer);
    const lacking = PERMISSIONS.filter((permission) => !answer.value.includes(permission));
    if (lacking.length > 0) {
      throw new ConfigError(
        `these Google credentials lack ${lacking.join(', ')} on gs://${this.bucket}: grant them ${ROLE} on the bucket`,
      );
    }
  }

  async put({ name, body, when, ...described }: NewObject): Promise<PutResult> {
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    const generation = when === 'absent' ? '0' : when.generation;
    const answer = await this.#try(async (signal) =>
      generationOf(await this.#client.insert(name, bytes, described, generation, signal)),
    );
    if (answer.kind === 'refused') return { status: 'refused' };
    return { status: 'stored', generation: this.#valueOf(answer) };
  }

  async look(name: ObjectName): Promise<ObjectInfo | undefined> {
    const answer = await this.#try(async (signal) =>
      infoOf(name, await this.#client.look(name, signal)),
    );
    return answer.kind === 'absent' ? undefined : this.#valueOf(answer);
  }

  /** Looks first: the headers of a download give the metadata's keys in lower case. */
  async get(name: ObjectName): Promise<(ObjectInfo & { readonly body: Uint8Array }) | undefined> {
    for (let round = 1; round <= GET_ROUNDS; round++) {
      const info = await this.look(name);
      if (!info) return undefined;
      const { generation } = info;
      const answer = await this.#try((signal) => this.#client.download(name, generation, signal));
      if (answer.kind !== 'absent') return { ...info, body: this.#valueOf(answer) };
    }
    throw this.#unavailable(`${name} is overwritten again and again`);
  }

  async list(folder: string): Promise<ObjectInfo[]> {
    const { pageSize, maxPages } = this.#limits;
    const objects: ObjectInfo[] = [];
    let pageToken: string | undefined;
    for (let page = 1; page <= maxPages; page++) {
      const answer = await this.#try((signal) =>
        this.#client.list(folder, { pageSize, pageToken }, signal),
      );
      const { items = [], nextPageToken } = this.#valueOf(answer);
      for (const item of items) {
        // The console's "folders" are empty objects of that very name.
        if (item.name !== undefined && item.name !== folder) objects.push(infoOf(item.name, item));
      }
      // The service sorts by bytes of UTF-8, which is not always by code unit.
      if (nextPageToken === undefined) return objects.sort((a, b) => (a.name < b.name ? -1 : 1));
      pageToken = nextPageToken;
    }
    throw this.#unavailable(`${folder} holds more than ${pageSize * maxPages} objects`);
  }

  async delete(name: ObjectName, generation: string): Promise<boolean> {
    const answer = await this.#try((signal) => this.#client.delete(name, generation, signal));
    if (answer.kind === 'absent' || answer.kind === 'refused') return false;
    this.#valueOf(answer);
    return true;
  }

  localPath(): undefined {
    return undefined;
  }

  #try<T>(
    work: (signal: AbortSignal) => Promise<T>,
    limits: TryLimits = this.#limits,
  ): Promise<Answer<T>> {
    return tryBounded(work, limits, this.#clock);
  }

  #valueOf<T>(answer: Answer<T>): T {
    if (answer.kind === 'done') return answer.value;
    throw this.#unavailable(`${this.#reasonOf(answer)}; ${remedyOf(answer)}`);
  }

  /** The error is not kept as a cause: it carries the request, and that our token. */
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

function infoOf(name: ObjectName, object: ObjectResource): ObjectInfo {
  return {
    name,
    generation: generationOf(object),
    size: Number(object.size),
    metadata: object.metadata ?? {},
  };
}

function generationOf({ generation }: ObjectResource): string {
  // An answer without it, of a proxy perhaps, is none.
  if (generation === undefined) throw new NoAnswer('no generation in the answer');
  return String(generation);
}
