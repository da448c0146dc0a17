import firestore from '@google-cloud/firestore';
import { type CallOptions, GoogleAuth, googleAuthLibrary, grpc } from 'google-gax';
import type { PageRequest } from '../document-store.js';
import type { DatabaseName } from './firestore-errors.js';
import { maskPath, type ProtoFields, type ProtoTimestamp } from './firestore-values.js';

/** `emulatorHost`: `host:port`, as FIRESTORE_EMULATOR_HOST has it; absent: Google's own service. */
export type FirestoreTarget = DatabaseName;

export interface ProtoDocument {
  readonly name: string;
  readonly fields: ProtoFields;
  readonly updateTime: ProtoTimestamp;
}

interface BatchGetAnswer {
  readonly found?: ProtoDocument | null;
  readonly readTime?: ProtoTimestamp | null;
}

export type ProtoWrite = (
  | {
      readonly update: { readonly name: string; readonly fields: ProtoFields };
      readonly updateMask?: { readonly fieldPaths: readonly string[] };
    }
  | { readonly delete: string }
) & {
  readonly currentDocument?:
    | { readonly exists: boolean }
    | { readonly updateTime: ProtoTimestamp }
    | undefined;
};

/**
 * Three calls of the Firestore API, each sent once and each bounded in time; they reject with the
 * library's own errors. Over the API's own client: the package's ordinary one takes no deadline
 * (an update on a closed port hung for ten minutes) and repeats commits by itself, whose lost
 * reply then looks like a refused precondition.
 */
export class FirestoreClient {
  readonly #client: InstanceType<typeof firestore.v1.FirestoreClient>;
  readonly #database: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor({ projectId, database, emulatorHost }: FirestoreTarget) {
    this.#database = `projects/${projectId}/databases/${database}`;
    this.#headers = {
      'google-cloud-resource-prefix': this.#database,
      // Past the emulator's security rules.
      ...(emulatorHost !== undefined && { authorization: 'Bearer owner' }),
    };
    this.#client = new firestore.v1.FirestoreClient({
      projectId,
      // Else streams are repeated by another library, whatever `retry` says.
      gaxServerStreamingRetries: true,
      ...(emulatorHost !== undefined && emulatorOptions(emulatorHost)),
    });
  }

  /** Connects, for the first call not to wait for it. What fails here fails that call. */
  connect(): void {
    this.#client.initialize().then(
      (stub) => (stub as unknown as grpc.Client).getChannel().getConnectivityState(true),
      () => undefined,
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
  ): Promise<{ documents: ProtoDocument[]; readTime: ProtoTimestamp }> {
    const documents: ProtoDocument[] = [];
    let readTime: ProtoTimestamp = {};
    const stream = this.#client.batchGetDocuments(
      {
        database: this.#database,
        documents: paths.map((path) => this.nameOf(path)),
      },
      this.#options(timeoutMs),
    );
    await drained(stream, timeoutMs, ({ found, readTime: at }: BatchGetAnswer) => {
      if (found) documents.push(found);
      readTime = at ?? readTime;
    });
    return { documents, readTime };
  }

  /** All or nothing; the update time of each write's document, in order. */
  async commit(writes: readonly ProtoWrite[], timeoutMs: number): Promise<ProtoTimestamp[]> {
    const request = { database: this.#database, writes: writes as ProtoWrite[] };
    const call = this.#client.commit(request as object, this.#options(timeoutMs));
    const [{ writeResults }] = await within(timeoutMs, call);
    return (writeResults ?? []).map(({ updateTime }) => updateTime ?? {});
  }

  /** One page of a collection, by name. */
  async query(collection: string, page: PageRequest, timeoutMs: number): Promise<ProtoDocument[]> {
    const [parent, collectionId] = splitLast(this.nameOf(collection));
    const at = (id: string) => ({
      values: [{ referenceValue: this.nameOf(`${collection}/${id}`) }],
    });
    const { after, before, limit } = page;
    // Equality alone, by name: of such queries every one has its index.
    const filters = filtersOf(page);
    const structuredQuery = {
      from: [{ collectionId }],
      ...(filters.length > 0 && { where: { compositeFilter: { op: 'AND', filters } } }),
      orderBy: [{ field: { fieldPath: '__name__' }, direction: 'ASCENDING' }],
      limit: { value: limit },
      ...(after !== undefined && { startAt: { ...at(after), before: false } }),
      ...(before !== undefined && { endAt: { ...at(before), before: true } }),
    };
    const stream = this.#client.runQuery(
      { parent, structuredQuery } as object,
      this.#options(timeoutMs),
    );
    const documents: ProtoDocument[] = [];
    await drained(stream, timeoutMs, ({ document }: { document?: ProtoDocument | null }) => {
      if (document) documents.push(document);
    });
    return documents;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  #options(timeoutMs: number): CallOptions {
    return {
      timeout: timeoutMs,
      retry: null,
      otherArgs: { headers: this.#headers },
    };
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

/** With credentials of its own, the library would look for some in the metadata server. */
function emulatorOptions(host: string) {
  const [servicePath, port] = /^(.*):(\d+)$/.exec(host)?.slice(1) ?? [host, '8080'];
  return {
    servicePath: servicePath as string,
    port: Number(port),
    sslCreds: grpc.credentials.createInsecure(),
    auth: new GoogleAuth({ authClient: new googleAuthLibrary.PassThroughClient() }),
  };
}

/** gRPC's deadline starts only when the call does, and that waits for credentials. */
async function within<T>(timeoutMs: number, call: Promise<T>, giveUp?: () => void): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      giveUp?.();
      reject(Object.assign(new Error('no answer'), { code: grpc.status.DEADLINE_EXCEEDED }));
    }, timeoutMs + 250);
  });
  try {
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
    // Whichever came second is nobody's any more.
    call.catch(() => undefined);
  }
}

/** By its events: an iterator over such a stream ends before the first answer has come. */
function drained<T>(
  stream: NodeJS.EventEmitter & { destroy(): unknown },
  timeoutMs: number,
  take: (answer: T) => void,
): Promise<void> {
  const ended = new Promise<void>((resolve, reject) => {
    stream.on('data', take);
    stream.on('end', resolve);
    stream.on('error', reject);
  });
  return within(timeoutMs, ended, () => stream.destroy());
}

function splitLast(path: string): [string, string] {
  const at = path.lastIndexOf('/');
  return [path.slice(0, at), path.slice(at + 1)];
}
