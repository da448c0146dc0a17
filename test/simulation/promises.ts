import { isDeepStrictEqual } from 'node:util';
import { dayOf } from '../../src/accounts/usage.js';
import type { NewObject } from '../../src/artifacts/artifact-store.js';
import { manifestName, stepFolder } from '../../src/artifacts/object-names.js';
import type { ChartRequest } from '../../src/chart-img/chart-request.js';
import type { JsonObject } from '../../src/contracts/documents.js';
import type { Write } from '../../src/documents/document-store.js';
import { isUsagePath, paths } from '../../src/documents/paths.js';
import type { LeaseDocument } from '../../src/engine/lease-document.js';
import type { StepOutcome } from '../../src/engine/outcome.js';
import { MAX_ATTEMPTS } from '../../src/engine/workload.js';
import type { MemoryArtifactStore } from '../support/memory-artifact-store.js';
import type { Change, MemoryDocumentStore } from '../support/memory-document-store.js';
import type { FakeProvider } from './fake-provider.js';
import { type WatchedStep, wrongWithEnd } from './step-end.js';
import type { Process, VirtualTime } from './virtual-time.js';

/** An account, and what the ledger allows it a day. */
export interface Payer {
  readonly id: string;
  readonly apiKey: string;
  readonly limit: number;
}

interface Watched {
  readonly time: VirtualTime;
  readonly documents: MemoryDocumentStore;
  readonly artifacts: MemoryArtifactStore;
  readonly provider: FakeProvider;
  readonly payers: readonly Payer[];
  readonly steps: readonly WatchedStep[];
}

type Interrupted = Extract<StepOutcome, { reason: 'interrupted' }>;

/** Who holds a step, since when, and what it knew to be stored. */
interface Holder {
  readonly token: string;
  readonly claimId: string;
  readonly attempt: number;
  /** What was stored before is not to be paid for again. */
  readonly looked: number;
  /** What was stored by then, when the holder before was heard of last, neither. */
  readonly silentSinceMs: number;
}

/**
 * What the worker promises, whatever befalls it: watched at the servers, where each call arrives and
 * each write is applied. What others write is not looked at.
 */
export class Promises {
  /** Each in one sentence. */
  readonly violations: string[] = [];
  readonly #world: Watched;
  readonly #claims = new Set<string>();
  readonly #settled = new Set<string>();
  /** By process and step. */
  readonly #holders = new Map<string, Holder>();
  readonly #received = new Set<string>();
  /** By process and folder: how many objects there had been when it listed. */
  readonly #listings = new Map<string, number>();
  /** The same, by what is written into the lease: the listing that a claim rests on. */
  readonly #lookedFor = new Map<string, number>();
  /** By claim and chart. */
  readonly #objects = new Map<string, { readonly order: number; readonly atMs: number }>();
  #stored = 0;
  #takeovers = 0;
  readonly #manifestsBy = new Map<string, Process>();
  readonly #ends = new Map<string, { by: Process; reason: 'succeeded' | 'failed' }[]>();

  constructor(world: Watched) {
    this.#world = world;
  }

  committed(by: Process, changes: readonly Change[]): void {
    // The runs last: theirs are taken to pieces.
    const ordered = changes.toSorted((a, b) => Number(isRun(a)) - Number(isRun(b)));
    for (const change of ordered) {
      const { path } = change;
      const [collection, runId = '', inner] = path.split('/');
      if (isUsagePath(path)) this.#usageWritten(change);
      else if (collection !== 'flow_runs') this.#broken(`${by.name} wrote ${path}`);
      else if (inner === undefined) this.#runWritten(by, runId, change, changes);
      else this.#leaseWritten(by, change, changes);
    }
  }

  /** A commit is about to leave; it may arrive when its sender has listed the folder again. */
  sends(by: Process, writes: readonly Write[]): void {
    for (const write of writes) {
      const [, runId = '', inner, stepId = ''] = write.path.split('/');
      if (inner === undefined || write.kind !== 'put') continue;
      const looked = this.#listings.get(`${by.name} ${stepFolder({ runId, stepId })}`);
      if (looked !== undefined) this.#lookedFor.set(String(write.data.writeId), looked);
    }
  }

  listed(by: Process, folder: string): void {
    this.#listings.set(`${by.name} ${folder}`, this.#stored);
  }

  stored(by: Process, name: string): void {
    const { artifacts, time } = this.#world;
    this.#stored += 1;
    const { claimId, chartTemplateId } = artifacts.getNow(name)?.metadata ?? {};
    if (name.endsWith('/manifest.json')) this.#manifestsBy.set(name, by);
    else {
      const key = `${claimId} ${chartTemplateId}`;
      const first = this.#objects.get(key) ?? { order: this.#stored, atMs: time.nowMs };
      this.#objects.set(key, first);
    }
  }

  /** A call is about to leave. */
  asks(by: Process, chart: ChartRequest): void {
    const step = this.#stepOf(chart);
    const holder = step && this.#holders.get(`${by.name} ${step.stepId}`);
    if (!holder) {
      this.#broken(`${by.name} asks for a chart of a step that it never claimed`);
      return;
    }
    const { chartTemplateId } = chart;
    if (this.#isTakenFrom(holder, step))
      this.#broken(`${by.name} asks for a chart of another’s step`);
    if (holder.attempt > MAX_ATTEMPTS) {
      this.#broken(`${by.name} asks for a chart in attempt ${holder.attempt}`);
    }
    if (this.#received.has(`${holder.token} ${chartTemplateId}`)) {
      this.#broken(`${by.name} asks again for ${chartTemplateId}, which it has`);
    }
    const object = this.#objects.get(`${holder.claimId} ${chartTemplateId}`);
    if (object && (object.order <= holder.looked || object.atMs < holder.silentSinceMs)) {
      this.#broken(`${by.name} asks again for ${chartTemplateId}, which its claim has stored`);
    }
  }

  /** An object is about to leave; the manifest's generation sees to its own fence. */
  puts(by: Process, { name, metadata }: NewObject): void {
    const step = this.#world.steps.find((candidate) => name.startsWith(stepFolder(candidate)));
    const holder = step && this.#holders.get(`${by.name} ${step.stepId}`);
    if (!holder) this.#broken(`${by.name} puts ${name} without a claim`);
    else if (metadata.chartTemplateId !== undefined && this.#isTakenFrom(holder, step)) {
      this.#broken(`${by.name} puts ${name}, which another is to draw`);
    }
  }

  /** A call has arrived, and costs a unit. */
  paid(apiKey: string): void {
    const { documents, payers, provider, time } = this.#world;
    const payer = payers.find((candidate) => candidate.apiKey === apiKey);
    if (!payer) {
      this.#broken('a call with a key that nobody has');
      return;
    }
    const day = dayOf(time.nowMs);
    const calls = provider.callsOf(apiKey, day);
    const usage = documents.dataOf(paths.usage(payer.id));
    const counted = usage?.windowStart === `${day}T00:00:00Z` ? Number(usage.usageToday) : 0;
    if (calls > counted) {
      this.#broken(`${calls} calls of ${payer.id} on ${day}, of which ${counted} are counted`);
    }
    if (calls > payer.limit) {
      this.#broken(`${calls} calls of ${payer.id} on ${day}, of ${payer.limit}`);
    }
  }

  received(by: Process, chart: ChartRequest): void {
    const step = this.#stepOf(chart);
    const holder = step && this.#holders.get(`${by.name} ${step.stepId}`);
    if (holder) this.#received.add(`${holder.token} ${chart.chartTemplateId}`);
  }

  /** What a worker says that it did. */
  told(by: Process, outcomes: readonly StepOutcome[]): void {
    for (const outcome of outcomes) {
      if (outcome.reason === 'interrupted' && outcome.claimed) this.#saidToBeReleased(by, outcome);
      if (outcome.reason !== 'succeeded' && outcome.reason !== 'failed') continue;
      const ends = this.#ends.get(outcome.stepId) ?? [];
      if (ends.some((end) => end.by === by && end.reason === outcome.reason)) continue;
      this.#broken(
        `${by.name} says that ${outcome.stepId} ${outcome.reason}, which it did not write`,
      );
    }
  }

  /** Nothing went wrong, all day: every unit that is counted was sent, and nobody was thought dead. */
  endedCalmly(): void {
    const { documents, payers, provider } = this.#world;
    if (this.#takeovers > 0) this.#broken('a step was taken over, of a worker that lives');
    for (const { id, apiKey } of payers) {
      const usage = documents.dataOf(paths.usage(id)) ?? {};
      const { used, day } = ledgerIn(usage);
      const calls = provider.callsOf(apiKey, day);
      if (usage.exhaustedOn !== undefined) continue;
      if (used !== calls) this.#broken(`${used} units of ${id} are counted, for ${calls} calls`);
    }
  }

  /** Nothing will happen any more; `isDue`: this step had to come to its end. */
  ended(isDue: (step: WatchedStep) => boolean): void {
    for (const step of this.#world.steps) {
      const { status } = this.#stepIn(step);
      if (status === 'SUCCEEDED' || status === 'FAILED') this.#checkEnd(step);
      else if (status !== 'CANCELLED' && isDue(step))
        this.#broken(`step ${step.stepId} is left ${String(status)}`);
    }
  }

  #runWritten(by: Process, runId: string, change: Change, all: readonly Change[]): void {
    const { before = { steps: {} }, after = { steps: {} } } = change;
    for (const step of this.#world.steps.filter((candidate) => candidate.runId === runId)) {
      const [was, is] = [before, after].map((run) => takeOurs(run, step.stepId));
      if (was === is) continue;
      const lease = all.find(({ path }) => path === paths.lease(runId, step.stepId));
      const isFinal = is === 'SUCCEEDED' || is === 'FAILED';
      if (is === 'READY') this.#broken(`${by.name} wrote READY`);
      else if (was === 'RUNNING' && isFinal) this.#settledBy(by, step, lease, is === 'FAILED');
      else if (!(was === 'READY' && is === 'RUNNING')) {
        this.#broken(`${by.name} took ${step.stepId} from ${String(was)} to ${String(is)}`);
      }
    }
    if (!isDeepStrictEqual(before, after)) this.#broken(`${by.name} changed a foreign field`);
  }

  #settledBy(by: Process, step: WatchedStep, change: Change | undefined, isError: boolean): void {
    const [before, after] = [change?.before, change?.after] as (LeaseDocument | undefined)[];
    if (!before || !after) {
      this.#broken(`${by.name} settled without its lease`);
      return;
    }
    const { token, claimId } = after;
    const isOurs = this.#holders.get(`${by.name} ${step.stepId}`)?.token === token;
    if (before.token !== token || !isOurs) this.#broken(`${by.name} settled what another holds`);
    if (before.state !== 'ACTIVE' || after.state !== 'DONE') {
      this.#broken(
        `${by.name} settled on a lease that went from ${before.state} to ${after.state}`,
      );
    }
    if (this.#settled.has(claimId)) this.#broken(`${by.name} settled a claim a second time`);
    this.#settled.add(claimId);
    const reason = isError ? 'failed' : 'succeeded';
    this.#ends.set(step.stepId, [...(this.#ends.get(step.stepId) ?? []), { by, reason }]);
    this.#checkEnd(step);
  }

  #leaseWritten(by: Process, change: Change, all: readonly Change[]): void {
    const [, runId = '', , stepId = ''] = change.path.split('/');
    const before = change.before as LeaseDocument | undefined;
    const after = change.after as LeaseDocument | undefined;
    if (!after) {
      this.#broken(`${by.name} deleted ${change.path}`);
      return;
    }
    if (before?.token === after.token) return;
    if (after.state === 'DONE') {
      const stands = stepData(this.#world.documents.dataOf(paths.flowRun(runId)) ?? {}, stepId);
      if (stands.status === 'RUNNING')
        this.#broken(`${by.name} closed the lease of a step at work`);
      return;
    }
    const run = all.find(({ path }) => path === paths.flowRun(runId));
    const step = this.#world.steps.find((candidate) => candidate.stepId === stepId);
    if (!run?.before || !step) {
      this.#broken(`${by.name} took a lease without its run`);
      return;
    }
    const { claimId, token, attempt } = after;
    const { nowMs } = this.#world.time;
    const key = `${by.name} ${stepId}`;
    if (stepData(run.before, stepId).status === 'READY') {
      if (this.#claims.has(claimId)) this.#broken(`${by.name} goes on with a claim that was reset`);
      if (attempt !== 1) this.#broken(`${by.name} begins with attempt ${attempt}`);
      this.#claims.add(claimId);
      this.#holders.set(key, { token, claimId, attempt, looked: -1, silentSinceMs: -1 });
      return;
    }
    this.#takeovers += 1;
    if (!before) {
      this.#broken(`${by.name} took over what has no lease`);
      return;
    }
    const silentSinceMs = change.beforeMs ?? 0;
    const isExpired = before.state === 'ACTIVE' && nowMs - silentSinceMs > before.ttlMs;
    if (!isExpired && before.state !== 'RELEASED') {
      this.#broken(`${by.name} took over a step that is held (${before.state})`);
    }
    if (before.claimId !== claimId) this.#broken(`${by.name} took over with a claim of its own`);
    if (attempt !== before.attempt + (isExpired ? 1 : 0)) {
      this.#broken(`${by.name} took over attempt ${before.attempt} as ${attempt}`);
    }
    const looked = this.#lookedFor.get(after.writeId);
    if (looked === undefined) this.#broken(`${by.name} took over without a look at the folder`);
    this.#holders.set(key, { token, claimId, attempt, looked: looked ?? -1, silentSinceMs });
  }

  #usageWritten({ path, before, after }: Change): void {
    const { payers, provider } = this.#world;
    const payer = payers.find(({ id }) => path === paths.usage(id));
    if (!payer) {
      this.#broken(`wrote ${path}, of an account that nobody has`);
      return;
    }
    const [was, is] = [ledgerIn(before ?? {}), ledgerIn(after ?? {})];
    if (!isDeepStrictEqual(was.rest, is.rest)) this.#broken(`changed a foreign field of ${path}`);
    if (is.day < was.day) this.#broken(`the day of ${payer.id} went back to ${is.day}`);
    if (is.used > payer.limit && is.used > was.used) {
      this.#broken(`${is.used} units of ${payer.id} are counted, of ${payer.limit}`);
    }
    const calls = provider.callsOf(payer.apiKey, is.day);
    if (calls > is.used) {
      this.#broken(`${is.used} units of ${payer.id} are counted, after ${calls} calls`);
    }
  }

  #saidToBeReleased(by: Process, { runId, stepId }: Interrupted): void {
    const lease = this.#world.documents.dataOf(paths.lease(runId ?? '', stepId ?? ''));
    const isOurs = lease?.token === this.#holders.get(`${by.name} ${stepId}`)?.token;
    if (isOurs && lease?.state === 'ACTIVE') this.#broken(`${by.name} gave nothing back`);
  }

  #checkEnd(step: WatchedStep): void {
    const isFinishers =
      this.#manifestsBy.get(manifestName(step)) === this.#ends.get(step.stepId)?.at(-1)?.by;
    const wrong = wrongWithEnd(step, this.#stepIn(step), isFinishers, this.#world);
    for (const reason of wrong) this.#broken(`${step.stepId} ${reason}`);
  }

  /** Another goes on with its claim. */
  #isTakenFrom({ token, claimId }: Holder, { runId, stepId }: WatchedStep): boolean {
    const lease = this.#world.documents.dataOf(paths.lease(runId, stepId));
    // A sweep closes the lease of a step that somebody ended with a token that nobody holds.
    const isHeld = [...this.#holders.values()].some((holder) => holder.token === lease?.token);
    return lease?.claimId === claimId && lease.token !== token && isHeld;
  }

  #stepOf({ chartImgSymbol, timeframe }: ChartRequest): WatchedStep | undefined {
    return this.#world.steps.find(
      (step) => chartImgSymbol.endsWith(`:${step.symbol}`) && step.timeframe === timeframe,
    );
  }

  #stepIn({ runId, stepId }: WatchedStep): JsonObject {
    return stepData(this.#world.documents.dataOf(paths.flowRun(runId)) ?? {}, stepId);
  }

  #broken(promise: string): void {
    this.violations.push(`${this.#world.time.stamp}: ${promise}`);
  }
}

function isRun({ path }: Change): boolean {
  return path.split('/').length === 2 && path.startsWith('flow_runs/');
}

function stepData(run: JsonObject, stepId: string): JsonObject {
  return (run.steps as Record<string, JsonObject> | undefined)?.[stepId] ?? {};
}

/** Takes out what is ours to write, and says the status. */
function takeOurs(run: JsonObject, stepId: string): unknown {
  const step = stepData(run, stepId);
  const { status } = step;
  const outputs = (step.outputs ?? {}) as JsonObject;
  delete step.status;
  delete step.finishedAt;
  delete step.error;
  delete outputs.outputsManifestGcsUri;
  if (Object.keys(outputs).length === 0) delete step.outputs;
  return status;
}

function ledgerIn({ usageToday, windowStart, exhaustedOn: _, ...rest }: JsonObject) {
  return { used: Number(usageToday ?? 0), day: String(windowStart ?? '').slice(0, 10), rest };
}
