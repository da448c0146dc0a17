import type { ArtifactStore, ObjectName } from '../../artifacts/artifact-store.js';
import { gsUri, manifestBeside } from '../../artifacts/object-names.js';
import { StoreUnavailable } from '../../failures.js';
import type { Snapshot } from './snapshot.js';

type Pictured = Pick<Snapshot, 'uri'>;

/** How often an object may change under our hands; a picture never does. */
const TRIES = 3;

/** The pictures of snapshots in one bucket. */
export class Pictures {
  readonly #artifacts: ArtifactStore;

  constructor(artifacts: ArtifactStore) {
    this.#artifacts = artifacts;
  }

  /** `false`: it lies in another bucket. */
  isHere(snapshot: Pictured): boolean {
    return snapshot.uri.startsWith(this.#root);
  }

  async bytesOf(snapshot: Pictured): Promise<Uint8Array | undefined> {
    if (!this.isHere(snapshot)) return undefined;
    return (await this.#artifacts.get(this.#nameOf(snapshot)))?.body;
  }

  /**
   * Whether the manifest of the step that it was made for names it. `texts` keeps manifests that
   * were read already: the charts of a step come together.
   */
  async isNamed(
    snapshot: Pictured,
    texts = new Map<ObjectName, Promise<string>>(),
  ): Promise<boolean> {
    const manifest = manifestBeside(this.#nameOf(snapshot));
    let text = texts.get(manifest);
    if (text === undefined) {
      text = this.#textOf(manifest);
      texts.set(manifest, text);
    }
    // Also in a manifest that somebody damaged: to keep one too many is the smaller harm.
    return (await text).includes(JSON.stringify(snapshot.uri));
  }

  /** Deletes the object; what is gone already is no failure. */
  async delete(snapshot: Pictured): Promise<void> {
    const name = this.#nameOf(snapshot);
    for (let tries = 0; tries < TRIES; tries++) {
      const object = await this.#artifacts.look(name);
      if (!object || (await this.#artifacts.delete(name, object.generation))) return;
    }
    throw new StoreUnavailable(`${snapshot.uri} is overwritten again and again`);
  }

  get #root(): string {
    return gsUri(this.#artifacts.bucket, '');
  }

  #nameOf({ uri }: Pictured): ObjectName {
    return uri.slice(this.#root.length);
  }

  async #textOf(manifest: ObjectName): Promise<string> {
    const body = (await this.#artifacts.get(manifest))?.body;
    return body ? Buffer.from(body).toString('utf8') : '';
  }
}
