import type { ArtifactStore, PutResult } from '../../src/artifacts/artifact-store.js';
import type {
  ChartProvider,
  ProviderAnswer,
  ProviderCall,
} from '../../src/chart-img/chart-provider.js';
import type { CommitResult, DocumentStore, Reading } from '../../src/documents/document-store.js';
import { StoreUnavailable } from '../../src/failures.js';
import type { MemoryArtifactStore } from '../support/memory-artifact-store.js';
import type { MemoryDocumentStore } from '../support/memory-document-store.js';
import type { FakeProvider } from './fake-provider.js';
import type { Promises } from './promises.js';
import type { Process, VirtualTime } from './virtual-time.js';
import type { Method, Weather } from './weather.js';

/** How long the real clients wait for an answer. */
const DEADLINES_MS = { read: 8_000, commit: 4_000, object: 10_500, render: 35_000 };

/** Where the ports of all processes lead. */
export interface Servers {
  readonly time: VirtualTime;
  readonly weather: Weather;
  readonly documents: MemoryDocumentStore;
  readonly artifacts: MemoryArtifactStore;
  readonly provider: FakeProvider;
  readonly promises: Promises;
  /** Calls that were made of all ports, so far. */
  calls: number;
  /** `undefined`: nobody wants to know. */
  readonly trace: ((line: string) => void) | undefined;
}

/** One call: what it does there, and what its sender hears if something is wrong with it. */
interface Call<T> {
  readonly method: Method;
  readonly about: string;
  readonly deadlineMs: number;
  readonly apply: () => T;
  readonly failed: () => T;
  readonly lost: (applied: T) => T;
  readonly hung: () => T;
  /** The sender gives the call up; what was sent is on its way all the same. */
  readonly signal?: AbortSignal;
}

/** The ports of one process, each call counted, and spoilt as the weather has it. */
export class Ports {
  readonly #servers: Servers;
  readonly #process: Process;
  readonly documents: DocumentStore;
  readonly artifacts: ArtifactStore;
  readonly provider: ChartProvider;

  constructor(servers: Servers, process: Process) {
    this.#servers = servers;
    this.#process = process;
    this.documents = this.#documents();
    this.artifacts = this.#artifacts();
    this.provider = this.#provider();
  }

  #documents(): DocumentStore {
    const { documents, promises, weather } = this.#servers;
    const query = <T>(method: Method, about: string, apply: () => T) =>
      this.#call({ method, about, deadlineMs: DEADLINES_MS.read, apply, ...unavailable });
    return {
      read: (paths) => query('read', paths.join(' '), (): Reading => documents.readNow(paths)),
      list: (collection, page) =>
        query('list documents', collection, () => documents.listNow(collection, page)),
      commit: (writes) => {
        promises.sends(this.#process, writes);
        return this.#call<CommitResult>({
          method: 'commit',
          about: writes.map(({ path }) => path).join(' '),
          deadlineMs: DEADLINES_MS.commit,
          apply: () =>
            documents.commitNow(writes, (changes) => promises.committed(this.#process, changes)),
          failed: () => {
            const heard = weather.pick<CommitResult | 'nothing sent'>(
              UNCLEAR,
              REFUSED,
              'nothing sent',
            );
            if (heard === 'nothing sent') throw new StoreUnavailable('nothing was sent');
            return heard;
          },
          lost: () => weather.pick<CommitResult>(REFUSED, UNCLEAR),
          hung: () => UNCLEAR,
        });
      },
    };
  }

  #artifacts(): ArtifactStore {
    const { artifacts, promises, weather } = this.#servers;
    const ask = <T>(method: Method, about: string, apply: () => T) =>
      this.#call({ method, about, deadlineMs: DEADLINES_MS.object, apply, ...unavailable });
    return {
      bucket: artifacts.bucket,
      probe: () => ask('probe', '', () => undefined),
      look: (name) => ask('look', name, () => artifacts.lookNow(name)),
      get: (name) => ask('get', name, () => artifacts.getNow(name)),
      list: (folder) =>
        ask('list', folder, () => {
          promises.listed(this.#process, folder);
          return artifacts.listNow(folder);
        }),
      delete: (name, generation) =>
        ask('delete', name, () => artifacts.deleteNow(name, generation)),
      localPath: () => undefined,
      put: (object) => {
        if (!this.#process.isDead) promises.puts(this.#process, object);
        return this.#call<PutResult>({
          method: 'put',
          about: object.name,
          deadlineMs: DEADLINES_MS.object,
          apply: () => {
            const result = artifacts.putNow(object);
            if (result.status === 'stored') promises.stored(this.#process, object.name);
            return result;
          },
          ...unavailable,
          // The client's own second try, or no answer to that one either.
          lost: () => weather.pick<() => PutResult>(() => ({ status: 'refused' }), unheard)(),
        });
      },
    };
  }

  #provider(): ChartProvider {
    const { provider, promises, weather, time } = this.#servers;
    return {
      foresee: async (charts) =>
        new Map(charts.map((chart) => [chart, { kind: 'call', source: 'chart-img' }])),
      render: ({ chart, apiKey = '', signal }: ProviderCall) => {
        if (!this.#process.isDead) promises.asks(this.#process, chart);
        return this.#call<ProviderAnswer>({
          method: 'render',
          about: `${chart.chartImgSymbol} ${chart.timeframe} ${chart.chartTemplateId}`,
          deadlineMs: DEADLINES_MS.render,
          apply: () => {
            const answer = provider.serve(chart, apiKey, time.nowMs, weather.mood());
            promises.paid(apiKey);
            return answer;
          },
          failed: () => ({
            ...noAnswer('network'),
            ...weather.pick({ unsent: true } as const, {}),
          }),
          lost: () => noAnswer('network'),
          hung: () => noAnswer('timeout'),
          signal,
        }).then((answer) => {
          if (answer.kind === 'answer' && answer.status === 200) {
            promises.received(this.#process, chart);
          }
          return answer;
        });
      },
    };
  }

  #call<T>(call: Call<T>): Promise<T> {
    const { time, weather, trace } = this.#servers;
    const process = this.#process;
    if (process.isDead) return new Promise(() => undefined);
    this.#servers.calls += 1;
    const n = this.#servers.calls;
    const { method, about, deadlineMs, signal } = call;
    const fault = weather.faultAt(n, method);
    trace?.(`${n} ${process.name} ${method} ${about}${fault ? ` (${fault})` : ''}`);
    weather.called?.(process);
    return new Promise((resolve, reject) => {
      const wayMs = weather.wayMs(method);
      const hear = (afterMs: number, say: () => T) => {
        const answer = () => {
          try {
            const heard = say();
            trace?.(`${n} ${process.name} hears ${worded(heard)}`);
            resolve(heard);
          } catch (error) {
            trace?.(`${n} ${process.name} hears ${String(error)}`);
            reject(error);
          }
        };
        time.in(afterMs, answer, process);
      };
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      switch (fault) {
        case undefined:
          time.in(wayMs, () => {
            const applied = call.apply();
            hear(weather.answerMs(method), () => applied);
          });
          return;
        case 'fails':
          return hear(wayMs, call.failed);
        case 'reply-lost':
          time.in(wayMs, () => {
            const applied = call.apply();
            hear(weather.answerMs(method), () => call.lost(applied));
          });
          return;
        case 'hangs': {
          const lateMs = method === 'render' ? wayMs : weather.lateMs();
          if (lateMs !== undefined)
            time.in(method === 'render' ? wayMs : deadlineMs + lateMs, call.apply);
          return hear(deadlineMs, call.hung);
        }
        case 'dies-before':
          return process.die();
        case 'dies-after':
          time.in(wayMs, () => {
            call.apply();
            process.die();
          });
      }
    });
  }
}

const UNCLEAR: CommitResult = { status: 'unclear', cause: new Error('no answer came') };
const REFUSED: CommitResult = { status: 'refused' };

function unheard(): never {
  throw new StoreUnavailable('no answer came');
}

const unavailable = { failed: unheard, lost: unheard, hung: unheard };

function noAnswer(reason: 'timeout' | 'network') {
  return { kind: 'no-answer', reason, message: 'no answer came' } as const;
}

function worded(heard: unknown): string {
  const { status } = (heard ?? {}) as { status?: unknown };
  return status === undefined ? 'an answer' : String(status);
}
