import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { isJsonObject } from '../../contracts/documents.js';
import { reasonOf, StoreUnavailable } from '../../failures.js';
import { decodeFileName, encodeFileName } from '../../local-disk/file-names.js';
import type { Transaction, Workspace } from '../../local-disk/workspace.js';
import type {
  ArtifactStore,
  NewObject,
  ObjectInfo,
  ObjectName,
  PutResult,
} from '../artifact-store.js';

interface Sidecar {
  readonly generation: string;
  readonly contentType: string;
  readonly cacheControl?: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Objects as files under `<workspace>/gcs/<bucket>`. A generation is the hash of the bytes; what
 * else is known of an object lies beside it in `.<name>.meta.json`, and is believed only as long
 * as it names that hash.
 */
export class LocalArtifactStore implements ArtifactStore {
  readonly bucket: string;
  readonly #workspace: Workspace;

  constructor(workspace: Workspace, bucket: string) {
    this.#workspace = workspace;
    this.bucket = bucket;
  }

  /** The workspace was opened, which is all that a local bucket needs. */
  async probe(): Promise<void> {}

  async put(object: NewObject): Promise<PutResult> {
    const generation = hash(object.body);
    const file = this.localPath(object.name);
    const { contentType, cacheControl, metadata } = object;
    const sidecar: Sidecar = {
      generation,
      contentType,
      ...(cacheControl !== undefined && { cacheControl }),
      metadata,
    };
    const staged = this.#stage(object.body);
    return this.#workspace.transact((transaction): PutResult => {
      const current = transaction.read(file);
      const wanted = object.when === 'absent' ? undefined : object.when.generation;
      if ((current && hash(current.bytes)) !== wanted) return { status: 'refused' };
      transaction.write(file, staged);
      transaction.write(sidecarOf(file), JSON.stringify(sidecar));
      return { status: 'stored', generation };
    });
  }

  async look(name: ObjectName): Promise<ObjectInfo | undefined> {
    return this.#workspace.transact((transaction) => this.#read(transaction, name));
  }

  async get(name: ObjectName): Promise<(ObjectInfo & { body: Uint8Array }) | undefined> {
    return this.#workspace.transact((transaction) => this.#read(transaction, name));
  }

  async list(folder: string): Promise<ObjectInfo[]> {
    const onDisk = this.localPath(folder);
    return this.#workspace.transact((transaction) => {
      const objects: ObjectInfo[] = [];
      const names: string[] = [];
      for (const fileName of transaction.names(onDisk)) {
        const name = decodeFileName(fileName);
        if (name !== undefined) names.push(name);
      }
      for (const name of names.sort()) {
        const object = this.#read(transaction, `${folder}${name}`);
        if (!object) continue;
        const { body: _, ...info } = object;
        objects.push(info);
      }
      return objects;
    });
  }

  async delete(name: ObjectName, generation: string): Promise<boolean> {
    const file = this.localPath(name);
    return this.#workspace.transact((transaction) => {
      const current = transaction.read(file);
      if (!current || hash(current.bytes) !== generation) return false;
      transaction.remove(file);
      transaction.remove(sidecarOf(file));
      return true;
    });
  }

  localPath(name: ObjectName): string {
    const segments = name.split('/').filter((segment) => segment !== '');
    return this.#workspace.pathTo('gcs', ...[this.bucket, ...segments].map(encodeFileName));
  }

  #stage(body: Uint8Array) {
    try {
      return this.#workspace.stage(body);
    } catch (error) {
      throw new StoreUnavailable(`workspace ${this.#workspace.root}: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  }

  #read(
    transaction: Transaction,
    name: ObjectName,
  ): (ObjectInfo & { body: Uint8Array }) | undefined {
    const file = this.localPath(name);
    const state = transaction.read(file);
    if (!state) return undefined;
    const generation = hash(state.bytes);
    const sidecar = readSidecar(transaction, file);
    const metadata = sidecar?.generation === generation ? sidecar.metadata : {};
    return { name, generation, size: state.bytes.length, metadata, body: state.bytes };
  }
}

function readSidecar(transaction: Transaction, file: string): Sidecar | undefined {
  const state = transaction.read(sidecarOf(file));
  try {
    const sidecar: unknown = state && JSON.parse(state.bytes.toString('utf8'));
    return isJsonObject(sidecar) && isJsonObject(sidecar.metadata)
      ? (sidecar as unknown as Sidecar)
      : undefined;
  } catch {
    return undefined;
  }
}

function sidecarOf(file: string): string {
  return join(dirname(file), `.${basename(file)}.meta.json`);
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
