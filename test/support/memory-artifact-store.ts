import type {
  ArtifactStore,
  NewObject,
  ObjectInfo,
  ObjectName,
  PutResult,
} from '../../src/artifacts/artifact-store.js';

export type MemoryObject = ObjectInfo & { readonly body: Uint8Array };

/** Objects in memory, as Cloud Storage keeps them: every put makes a new generation. */
export class MemoryArtifactStore implements ArtifactStore {
  readonly bucket: string;
  readonly #objects = new Map<ObjectName, MemoryObject>();
  #generations = 0;

  constructor(bucket: string) {
    this.bucket = bucket;
  }

  async probe(): Promise<void> {}

  async put(object: NewObject): Promise<PutResult> {
    return this.putNow(object);
  }

  async look(name: ObjectName): Promise<ObjectInfo | undefined> {
    return this.lookNow(name);
  }

  async get(name: ObjectName): Promise<MemoryObject | undefined> {
    return this.getNow(name);
  }

  async list(folder: string): Promise<ObjectInfo[]> {
    return this.listNow(folder);
  }

  async delete(name: ObjectName, generation: string): Promise<boolean> {
    return this.deleteNow(name, generation);
  }

  localPath(): undefined {
    return undefined;
  }

  putNow({ name, body, metadata, when }: NewObject): PutResult {
    const wanted = when === 'absent' ? undefined : when.generation;
    if (this.#objects.get(name)?.generation !== wanted) return { status: 'refused' };
    this.#generations += 1;
    const generation = String(this.#generations);
    const size = body.length;
    const copy = { body: Buffer.from(body), metadata: { ...metadata } };
    this.#objects.set(name, { name, generation, size, ...copy });
    return { status: 'stored', generation };
  }

  lookNow(name: ObjectName): ObjectInfo | undefined {
    const found = this.#objects.get(name);
    return found && infoOf(found);
  }

  getNow(name: ObjectName): MemoryObject | undefined {
    return this.#objects.get(name);
  }

  listNow(folder: string): ObjectInfo[] {
    return [...this.#objects.values()]
      .filter(({ name }) => name.startsWith(folder) && !name.includes('/', folder.length))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(infoOf);
  }

  deleteNow(name: ObjectName, generation: string): boolean {
    if (this.#objects.get(name)?.generation !== generation) return false;
    return this.#objects.delete(name);
  }
}

function infoOf({ body: _, ...info }: MemoryObject): ObjectInfo {
  return { ...info, metadata: { ...info.metadata } };
}
