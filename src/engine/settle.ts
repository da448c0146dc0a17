import { createHash } from 'node:crypto';
import { gsUri, manifestName } from '../artifacts/object-names.js';
import type { ChartsOutputsManifest } from '../contracts/documents.js';
import type { FieldPath, Reading, Write } from '../documents/document-store.js';
import { paths } from '../documents/paths.js';
import { reasonOf, StoreUnavailable } from '../failures.js';
import type { Claimed } from './claim.js';
import type { EngineDeps } from './deps.js';
import { type Run, stepOf } from './flow-run.js';
import type { StepError } from './outcome.js';
import { type Refund, refundable, refundOf } from './quota-desk.js';
import { backOff } from './server-clock.js';
import { type LeaseHold, LeaseLost } from './step-lease.js';

/** What the step came to, before anything of it is written. */
export interface Verdict {
  /** `undefined`: nothing was asked for, so there is nothing to list. */
  readonly manifest: ChartsOutputsManifest | undefined;
  /** `undefined`: enough charts are there. */
  readonly error: StepError | undefined;
  /** Recorded along with the step's end. */
  readonly records?: readonly Write[];
}

export interface Settled {
  readonly error: StepError | undefined;
  /** `null`: none was written. */
  readonly manifestUri: string | null;
}

/** After so many conflicts the refund is left for later: the step's end matters more. */
const CONFLICTS_WITH_REFUND = 3;
/** A step whose time is over still gets this long to say so. */
const SETTLE_GRACE_MS = 10_000;

/**
 * Writes the manifest, then the step's end, both only while the step is ours. Inside one hold of the
 * lease, so that no heartbeat comes between. Rejects with `LeaseLost`, or with `StoreUnavailable`
 * when the end could not be written.
 */
export function settle(
  claimed: Claimed,
  verdict: Verdict,
  deps: EngineDeps,
  leftMs: number,
): Promise<Settled> {
  const until = deps.clock.monotonic() + Math.max(leftMs, SETTLE_GRACE_MS);
  return claimed.lease.exclusively(async (hold) => {
    const { reading, settled } = await writeManifest(claimed, verdict, hold, deps, until);
    await commitEnd(claimed, settled, verdict.records ?? [], hold, deps, reading, until);
    return settled;
  });
}

/**
 * The order is the fence: first the manifest's generation, *then* the lease, *then* the put on
 * that generation. In any other order a worker that lost its lease in between overwrites the
 * manifest of the one that took over.
 */
async function writeManifest(
  claimed: Claimed,
  { manifest, error }: Verdict,
  hold: LeaseHold,
  deps: EngineDeps,
  until: number,
): Promise<{ reading: Reading; settled: Settled }> {
  const { artifacts, clock, logger } = deps;
  if (!manifest)
    return { reading: await readOwn(claimed, hold), settled: { error, manifestUri: null } };

  const name = manifestName({ ...manifest, root: deps.settings.objectRoot });
  const body = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
  const sha256 = createHash('sha256').update(body).digest('hex');
  const { claimId } = hold.lease;
  // A step that failed already keeps its own reason.
  const fail = (reason: string): Settled => {
    const message = `the manifest could not be written: ${reason}`;
    return { error: error ?? { code: 'MANIFEST_WRITE_FAILED', message }, manifestUri: null };
  };
  for (let round = 0; ; round++) {
    let generation: string | undefined;
    try {
      generation = (await artifacts.look(name))?.generation;
    } catch (failure) {
      if (!(failure instanceof StoreUnavailable)) throw failure;
      return { reading: await readOwn(claimed, hold), settled: fail(reasonOf(failure)) };
    }
    const reading = await readOwn(claimed, hold);
    try {
      const result = await artifacts.put({
        name,
        body,
        contentType: 'application/json',
        cacheControl: 'no-store',
        metadata: { claimId, sha256 },
        when: generation === undefined ? 'absent' : { generation },
      });
      const isOurs =
        result.status === 'stored' || (await artifacts.look(name))?.metadata.sha256 === sha256;
      if (isOurs) {
        const uri = gsUri(artifacts.bucket, name);
        logger.info('manifest_written', `manifest ${uri}`, { stepId: manifest.stepId, uri });
        return { reading, settled: { error, manifestUri: uri } };
      }
    } catch (failure) {
      if (!(failure instanceof StoreUnavailable)) throw failure;
      return { reading, settled: fail(reasonOf(failure)) };
    }
    if (clock.monotonic() > until) return { reading, settled: fail('others keep writing it') };
    await backOff(clock, round);
  }
}

async function commitEnd(
  claimed: Claimed,
  settled: Settled,
  records: readonly Write[],
  hold: LeaseHold,
  deps: EngineDeps,
  firstReading: Reading,
  until: number,
): Promise<void> {
  let reading = firstReading;
  let round = 0;
  for (; ; round++) {
    const refund = refundIn(round, claimed, hold, deps, reading);
    const end = endWrite(claimed, settled, reading, new Date(deps.clock.now()));
    const change = { state: 'DONE', reserved: refund.reserved } as const;
    if ((await hold.send(change, [end, ...refund.writes, ...records])) === 'committed') break;
    await backOff(deps.clock, round);
    const next = await readUnsettled(claimed, hold);
    if (!next) break;
    if (deps.clock.monotonic() > until) {
      throw new StoreUnavailable(
        `run ${claimed.situation.run.runId} is written so often that the step's end could not be`,
      );
    }
    reading = next;
  }
  if (round >= CONFLICTS_WITH_REFUND) await refundRest(claimed, hold, deps, until);
}

/** After some conflicts a step's end, and a release, go without the refund. */
function refundIn(
  round: number,
  { spending }: Claimed,
  { lease }: LeaseHold,
  { accounts }: EngineDeps,
  reading: Reading,
): Refund {
  return round < CONFLICTS_WITH_REFUND
    ? refundOf(accounts, spending, lease, reading)
    : { writes: [], reserved: lease.reserved };
}

/**
 * What the step's end left unrefunded. Guarded by the lease, which is still ours although done.
 * Never rejects for want of the store or the lease: the step is settled, and unspent units that
 * stay counted cost nobody a chart that was promised.
 */
async function refundRest(
  claimed: Claimed,
  hold: LeaseHold,
  deps: EngineDeps,
  until: number,
): Promise<void> {
  claimed.spending?.reservedNow(hold.lease.reserved);
  try {
    for (let round = 0; refundable(claimed.spending).length > 0; round++) {
      const reading = await hold.read(usagePaths(claimed));
      const { writes, reserved } = refundOf(deps.accounts, claimed.spending, hold.lease, reading);
      if (writes.length === 0) return;
      if ((await hold.commit({ reserved }, writes)) === 'committed') return;
      if (deps.clock.monotonic() > until) return;
      await backOff(deps.clock, round);
    }
  } catch (error) {
    if (!(error instanceof LeaseLost || error instanceof StoreUnavailable)) throw error;
    deps.logger.warn('quota_not_returned', `unspent quota stays counted: ${reasonOf(error)}`, {
      stepId: claimed.situation.selected.stepId,
    });
  }
}

/** Gives the step back unfinished: `RELEASED`, with the unsent quota, in one commit. */
export function release(claimed: Claimed, deps: EngineDeps): Promise<void> {
  const until = deps.clock.monotonic() + SETTLE_GRACE_MS;
  return claimed.lease.exclusively(async (hold) => {
    for (let round = 0; ; round++) {
      const reading = await hold.read(usagePaths(claimed));
      if (hold.lease.state !== 'ACTIVE') return;
      if (round > 0 && deps.clock.monotonic() > until) {
        throw new StoreUnavailable('the lease could not be released');
      }
      const { writes, reserved } = refundIn(round, claimed, hold, deps, reading);
      if ((await hold.send({ state: 'RELEASED', reserved }, writes)) === 'committed') return;
      await backOff(deps.clock, round);
    }
  });
}

/** As `readOwn`; `undefined`: an earlier try, whose answer never came, wrote the end after all. */
async function readUnsettled(claimed: Claimed, hold: LeaseHold): Promise<Reading | undefined> {
  try {
    const reading = await readOwn(claimed, hold);
    return hold.lease.state === 'DONE' ? undefined : reading;
  } catch (error) {
    if (error instanceof LeaseLost && hold.lease.state === 'DONE') return undefined;
    throw error;
  }
}

/** The run, our lease and what a refund needs, as of one moment; only if the step is still ours. */
async function readOwn(claimed: Claimed, hold: LeaseHold): Promise<Reading> {
  const { run, selected } = claimed.situation;
  const reading = await hold.read([paths.flowRun(run.runId), ...usagePaths(claimed)]);
  const document = reading.get(paths.flowRun(run.runId));
  const now = document && stepOf({ ...run, steps: stepsOf(document.data) }, selected.stepId);
  if (now?.status !== 'RUNNING') {
    throw new LeaseLost(`somebody set the step to ${String(now?.status)}`);
  }
  return reading;
}

function stepsOf(data: Run['data']): Run['steps'] {
  return (data.steps ?? {}) as Run['steps'];
}

function usagePaths({ spending }: Claimed): string[] {
  return refundable(spending).map(paths.usage);
}

function endWrite(
  { situation: { run, selected } }: Claimed,
  { error, manifestUri }: Settled,
  reading: Reading,
  finishedAt: Date,
): Write {
  const path = paths.flowRun(run.runId);
  const field = (...rest: string[]): FieldPath => ['steps', selected.stepId, ...rest];
  return {
    kind: 'patch',
    path,
    when: { version: reading.get(path)?.version as string },
    fields: [
      [field('status'), error ? 'FAILED' : 'SUCCEEDED'],
      [field('finishedAt'), finishedAt.toISOString()],
      [field('outputs', 'outputsManifestGcsUri'), manifestUri ?? undefined],
      [field('error'), error && { ...error }],
    ],
  };
}
