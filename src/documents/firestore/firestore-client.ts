import { ApiRefusal, NoAnswer, property } from '../../google/api-errors.js';
import { type ApiCall, GoogleApi } from '../../google/google-api.js';
import { SignIn } from '../../google/sign-in.js';
import { within } from '../../google/within.js';
import type { ProxySettings } from '../../http/proxy.js';
import type { PageRequest } from '../document-store.js';
import type { DatabaseName } from './firestore-errors.js';
import { type FirestoreFields, maskPath, type Timestamp } from './firestore-values.js';

/** `emulatorHost`: `host:port`, as FIRESTORE_EMULATOR_HOST has it; absent: Google's own service. */
export interface FirestoreTarget extends DatabaseName {
  /** Not asked for an emulator; by default one of the service's own. */
  readonly signIn?: SignIn | undefined;
  readonly proxy?: ProxySettings | undefined;
}

export interface FirestoreDocument {
  readonly name: string;
  readonly fields?: FirestoreFields;
  readonly updateTime: Timestamp;
}

export type FirestoreWrite = (
  | {
      readonly update: { readonly name: string; readonly fields: FirestoreFields };
      readonly updateMask?: { readonly fieldPaths: readonly string[] };
    }
  /** The name of the document. */
  | { readonly delete: string }
) & {
  readonly currentDocument?:
    | { readonly exists: boolean }
    | { readonly updateTime: Timestamp }
    | undefined;
};

const SERVICE = 'https://firestore.googleapis.com';

/**
 * Three calls of the Firestore API (its REST form, v1), each sent once and bounded in time; they
 * reject as those of `GoogleApi` do, and with `NoAnswer` when the time is over.
 *
 * Not `@google-cloud/firestore`: its gRPC took 0.4 s of processor time to load, half of a small
 * step's. Its ordinary client takes no deadline (an update on a closed port hung for ten minutes)
 * and repeats commits by itself, whose lost reply then looks like a refused precondition.
 */
export class FirestoreClient {
  readonly #api: GoogleApi;
  readonly #database: string;

  /** Throws `ConfigError` when the proxy cannot be used. */
  constructor({ projectId, database, emulatorHost, signIn, proxy }: FirestoreTarget) {
    this.#database = `projects/${projectId}/databases/${database}`;
    this.#api = new GoogleApi(
      emulatorHost === undefined
        ? { origin: SERVICE, signIn: signIn ?? new SignIn(), proxy }
        : // Past the emulator's security rules.
          { origin: `http://${emulatorHost}`, headers: { authorization: 'Bearer owner' } },
    );
  }

  /** `flow_runs/x` → the name that the API knows the document by. */
  nameOf(path: string): string {
    return `${this.#database}/documents/${path}`;
  }

  /** The documents that there are, all as of `readTime`. */
  async batchGet(
    paths: readonly string[],
    timeoutMs: number,
  ): Promise<{ documents: FirestoreDocument[]; readTime: Timestamp }> {
    const documents = paths.map((path) => this.nameOf(path));
    const answers = await this.#stream<{ found?: FirestoreDocument; readTime?: Timestamp }>(
      this.#post('batchGet', { documents }),
      timeoutMs,
    );
    const readTime = answers.findLast((answer) => answer.readTime)?.readTime;
    if (readTime === undefined) throw new NoAnswer('no time of reading in the answer');
    return { documents: answers.flatMap(({ found }) => found ?? []), readTime };
  }

  /** All or nothing; the update time of each write's document, in order; none of a deleted one. */
  async commit(
    writes: readonly FirestoreWrite[],
    timeoutMs: number,
  ): Promise<(Timestamp | undefined)[]> {
    const { writeResults = [] } = await this.#answer<{
      writeResults?: { updateTime?: Timestamp }[];
    }>(this.#post('commit', { writes }), timeoutMs);
    const isTold = (write: FirestoreWrite, index: number) =>
      'delete' in write || writeResults[index]?.updateTime !== undefined;
    if (!writes.every(isTold)) throw new NoAnswer('not all times of writing in the answer');
    return writes.map((_, index) => writeResults[index]?.updateTime);
  }

  /** One page of a collection, by name. */
  async query(
    collection: string,
    page: PageRequest,
    timeoutMs: number,
  ): Promise<FirestoreDocument[]> {
    const slash = collection.lastIndexOf('/');
    const at = (id: string) => ({
      values: [{ referenceValue: this.nameOf(`${collection}/${id}`) }],
    });
    const { after, before, limit } = page;
    // Equality alone, by name: of such queries every one has its index.
    const filters = filtersOf(page);
    const structuredQuery = {
      from: [{ collectionId: collection.slice(slash + 1) }],
      ...(filters.length > 0 && { where: { compositeFilter: { op: 'AND', filters } } }),
      orderBy: [{ field: { fieldPath: '__name__' }, direction: 'ASCENDING' }],
      limit,
      ...(after !== undefined && { startAt: { ...at(after), before: false } }),
      ...(before !== undefined && { endAt: { ...at(before), before: true } }),
    };
    const parent = slash < 0 ? '' : `/${collection.slice(0, slash)}`;
    const answers = await this.#stream<{ document?: FirestoreDocument }>(
      this.#post('runQuery', { structuredQuery }, parent),
      timeoutMs,
    );
    return answers.flatMap(({ document }) => document ?? []);
  }

  close(): void {
    this.#api.close();
  }

  #post(method: string, body: object, below = ''): ApiCall {
    return {
      method: 'POST',
      path: `${this.#pathOf(below)}:${method}`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    };
  }

  #pathOf(below: string): string {
    const encoded = below.split('/').map(encodeURIComponent).join('/');
    return `/v1/${this.#database}/documents${encoded}`;
  }

  #answer<T extends object>(call: ApiCall, timeoutMs: number): Promise<T> {
    return within(timeoutMs, (signal) => this.#api.json<T>(call, signal));
  }

  /** A list of answers, of which one may be an error that came after the first good ones. */
  async #stream<T>(call: ApiCall, timeoutMs: number): Promise<readonly T[]> {
    const answers = await this.#answer<T[]>(call, timeoutMs);
    if (!Array.isArray(answers)) throw new NoAnswer('the answer is no list');
    for (const answer of answers) {
      const status = property(property(answer, 'error'), 'code');
      if (status !== undefined) throw new ApiRefusal(Number(status), answer);
    }
    return answers;
  }
}

function filtersOf({ where, equal = {} }: PageRequest): object[] {
  const equals = Object.entries(equal).map(([field, stringValue]) => ({
    fieldFilter: { field: { fieldPath: maskPath([field]) }, op: 'EQUAL', value: { stringValue } },
  }));
  if (!where) return equals;
  const values = where.among.map((stringValue) => ({ stringValue }));
  const field = { fieldPath: maskPath([where.field]) };
  return [...equals, { fieldFilter: { field, op: 'IN', value: { arrayValue: { values } } } }];
}
