/** A path inside the bucket, with slashes. */
export type ObjectName = string;

export interface ObjectInfo {
  readonly name: ObjectName;
  /** Opaque; another one means that the object was written anew. */
  readonly generation: string;
  readonly size: number;
  /** Our own key-value pairs; empty where the object carries none that can be trusted. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface NewObject {
  readonly name: ObjectName;
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly cacheControl?: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** The object must be absent, or still of this generation. */
  readonly when: 'absent' | { readonly generation: string };
}

/** `refused`: the precondition did not hold, perhaps because of our own lost reply: look, is it ours? */
export type PutResult =
  | { readonly status: 'stored'; readonly generation: string }
  | { readonly status: 'refused' };

/**
 * Objects in one bucket. Every method rejects with `StoreUnavailable` once its own bounded tries
 * are used up; callers do not retry. An object is there whole or not at all.
 */
export interface ArtifactStore {
  /** Bucket name without `gs://`. */
  readonly bucket: string;
  /** Answers if the bucket can be used; rejects with `ConfigError` when it is missing or forbidden. */
  probe(): Promise<void>;
  put(object: NewObject): Promise<PutResult>;
  /** `undefined`: no such object. */
  look(name: ObjectName): Promise<ObjectInfo | undefined>;
  /** `undefined`: no such object. */
  get(name: ObjectName): Promise<(ObjectInfo & { readonly body: Uint8Array }) | undefined>;
  /** The objects directly in a folder (`charts/a/`), by ascending name. */
  list(folder: string): Promise<ObjectInfo[]>;
  /** `false`: it was gone, or of another generation. */
  delete(name: ObjectName, generation: string): Promise<boolean>;
  /** Where a person can open the object on this machine; `undefined` in the cloud. */
  localPath(name: ObjectName): string | undefined;
}
