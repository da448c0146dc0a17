import { randomUUID } from 'node:crypto';
import { fromRest, unpaced } from '../accounts/pacing.js';
import { type Reserved, Spending } from '../accounts/spending.js';
import { usageWrite } from '../accounts/usage.js';
import type { StepObjects } from '../artifacts/object-names.js';
import type { FieldPath, Write } from '../documents/document-store.js';
import { paths } from '../documents/paths.js';
import type { CachedPicture } from './chart-cache.js';
import type { EngineDeps, StepRequest } from './deps.js';
import { planned } from './dry-run.js';
import { keptCharts } from './kept-charts.js';
import { keepManifest } from './kept-manifest.js';
import { type LeaseDocument, leaseData, parseLease } from './lease-document.js';
import type { StepOutcome } from './outcome.js';
import { warnOfUsage } from './quota-warning.js';
import { backOff, type ServerClock, Stopwatch } from './server-clock.js';
import { StepLease } from './step-lease.js';
import { findStoredCharts, type StoredChart } from './stored-chart.js';
import { type Situation, type Survey, scopeOf, survey } from './survey.js';
import { NOBODY_PAYS, type Workload, workloadOf } from './workload.js';

/** The step is ours: its status says `RUNNING`, its lease bears our token, its quota is reserved. */
export interface Claimed {
  readonly situation: Situation;
  readonly workload: Workload;
  readonly lease: StepLease;
  /** `undefined`: calls cost nothing. */
  readonly spending: Spending | undefined;
  readonly serverClock: ServerClock;
}

/**
 * Surveys the step and takes it in one conditional commit; whoever loses looks again and finds the
 * step held. A commit that was refused, or got no answer, is not yet lost: it may be applied, or be
 * applied later, or a usage document may have moved. Only token and write in the lease tell.
 */
export async function claim(
  request: StepRequest,
  deps: EngineDeps,
  deadline: AbortSignal,
): Promise<Claimed | StepOutcome> {
  const token = randomUUID();
  const tries: Try[] = [];
  const doubted = new Set<string>();
  let probed = false;
  for (let round = 0; ; round++) {
    const last = tries.at(-1)?.situation;
    const hints = {
      run: last?.run ?? request.asGiven,
      stepIds: tries.map(({ situation }) => situation.selected.stepId),
      doubted,
    };
    const { result: situation, leaseOf } = await survey(request, deps, hints);
    const ours = appliedOf(tries, leaseOf);
    if (ours) return claimed(ours, deps);
    if ('reason' in situation) return situation;
    if (deadline.aborted) return refusedTooOften(situation);
    const { selected } = situation;
    const logger = deps.logger.with(scopeOf(situation));
    if (round === 0) {
      const message = `step ${selected.stepId} is selected (${selected.status}, ${selected.entry})`;
      logger.info('ready_step_selected', message, { status: selected.status });
    }

    // First of all that the bucket is asked: only this says what to do where it cannot be used.
    if (!probed) await deps.artifacts.probe();
    probed = true;
    const draft = draftLease(situation, token, request, deps);
    const kept = await keptCharts(situation, draft, request, deps);
    if ('reason' in kept) return kept;
    const stored = new Map([...kept.stored, ...(await alreadyPaid(situation, draft, deps))]);
    const waitOf = deps.settings.isLive ? fromRest : unpaced;
    const cached = await alreadyRendered(situation, stored, deps);
    const workload = workloadOf(situation, stored, kept.failed, draft.attempt, waitOf, cached);
    if (lacksAccounts(workload, deps)) {
      return {
        reason: 'misconfigured',
        message: NOBODY_PAYS,
      };
    }
    if (request.dryRun) return planned(situation, workload, deps.settings.objectRoot);
    if (deps.signal.aborted || deps.windDown?.aborted)
      return interruptedBeforeClaim(situation, tries.length > 0);

    if (selected.entry === 'replay') await keepManifest(stepObjects(situation, deps), deps);
    const reserved = reservedBy(workload, situation);
    const lease: LeaseDocument = { ...draft, reserved, ...(kept.only && { only: kept.only }) };
    const attempted: Try = { situation, workload, lease, sent: new Stopwatch(deps.clock) };
    const result = await deps.documents.commit(claimWrites(attempted));
    if (result.status === 'committed') {
      const version = result.versions.get(leasePath(situation)) as string;
      return claimed({ ...attempted, version }, deps);
    }
    tries.push(attempted);
    const { attempt } = lease;
    const facts = { claimed: false, status: selected.status, attempt };
    logger.info('claim_attempt', `the claim was ${result.status}; looking again`, facts);
    if (result.status === 'refused' && workload.units.size > 0) {
      logger.debug('chart_api_usage_claim_conflict', 'the claim met a changed document', { round });
    }
    await backOff(deps.clock, round, deadline);
  }
}

/** Live calls are paid for by somebody. */
function lacksAccounts({ renders, cached }: Workload, { settings, accounts }: EngineDeps): boolean {
  const costly = renders.some(
    ({ chartTemplateId, foresight }) => foresight.kind === 'call' && !cached.has(chartTemplateId),
  );
  return settings.isLive && accounts.length === 0 && costly;
}

/** One commit that was sent. */
interface Try {
  readonly situation: Situation;
  readonly workload: Workload;
  readonly lease: LeaseDocument;
  readonly sent: Stopwatch;
}

/** The one of our tries that stands in the store, if one does: its lease tells by token and write. */
function appliedOf(
  tries: readonly Try[],
  leaseOf: Survey['leaseOf'],
): (Try & { readonly version: string }) | undefined {
  for (const attempted of tries) {
    const document = leaseOf(attempted.situation.selected.stepId);
    const stands = parseLease(document);
    const { token, writeId } = attempted.lease;
    if (document && stands?.token === token && stands.writeId === writeId) {
      return { ...attempted, version: document.version };
    }
  }
  return undefined;
}

function claimed(
  { situation, workload, lease, sent, version }: Try & { readonly version: string },
  deps: EngineDeps,
): Claimed {
  const { stepId, status } = situation.selected;
  const { attempt } = lease;
  const facts = { claimed: true, status, attempt };
  deps.logger
    .with(scopeOf(situation))
    .info('claim_attempt', `claimed step ${stepId}, attempt ${attempt}`, facts);
  for (const usage of situation.usages) {
    warnOfUsage(usage, workload.units.get(usage.account.id) ?? 0, deps.logger);
  }
  const path = leasePath(situation);
  return {
    situation,
    workload,
    lease: new StepLease(deps.documents, path, deps.clock, { lease, version, sent }),
    spending: deps.accounts.length > 0 ? new Spending(deps.accounts, lease.reserved) : undefined,
    serverClock: situation.serverClock,
  };
}

function leasePath({ run, selected }: Situation): string {
  return paths.lease(run.runId, selected.stepId);
}

/** Same claim for a takeover, a new one from READY and for a replay; only a death raises attempt. */
function draftLease(
  { selected, lease: before }: Situation,
  token: string,
  { eventId }: StepRequest,
  { settings, owner, clock }: EngineDeps,
): LeaseDocument {
  const takeover = selected.entry === 'takeover' ? before : undefined;
  return {
    schemaVersion: 1,
    token,
    claimId: takeover?.claimId ?? randomUUID(),
    attempt: takeover ? takeover.attempt + (selected.expired ? 1 : 0) : 1,
    state: 'ACTIVE',
    ttlMs: settings.leaseTtlMs,
    heartbeat: (before?.heartbeat ?? 0) + 1,
    writeId: randomUUID(),
    claimedAt: new Date(clock.now()).toISOString(),
    ...(eventId !== undefined && { eventId }),
    owner,
    ...(takeover?.only && { only: takeover.only }),
    reserved: {},
  };
}

/** Only a takeover continues a claim: the folder is listed once, before its commit. */
async function alreadyPaid(
  situation: Situation,
  { claimId }: LeaseDocument,
  deps: EngineDeps,
): Promise<ReadonlyMap<string, StoredChart>> {
  const { selected, inputs, charts } = situation;
  const { artifacts, logger } = deps;
  if (selected.entry !== 'takeover' || 'error' in inputs) return new Map();
  const { stepId } = selected;
  const wanted = charts.filter((chart) => chart.kind === 'render');
  const folder = { ...stepObjects(situation, deps), claimId, inputs };
  const stored = await findStoredCharts(artifacts, folder, wanted);
  for (const [chartTemplateId, { name }] of stored) {
    logger.info('chart_reused', `${chartTemplateId} is stored already`, {
      stepId,
      chartTemplateId,
      objectName: name,
    });
  }
  return stored;
}

/** Nobody is asked for what the cache holds: no quota is reserved for it. */
async function alreadyRendered(
  { charts }: Situation,
  stored: ReadonlyMap<string, StoredChart>,
  { cache }: EngineDeps,
): Promise<ReadonlyMap<string, CachedPicture>> {
  if (!cache) return new Map();
  const open = charts.filter((chart) => chart.kind === 'render');
  return cache.recall(open.filter(({ chartTemplateId }) => !stored.has(chartTemplateId)));
}

function stepObjects({ run, selected }: Situation, { settings }: EngineDeps): StepObjects {
  return { runId: run.runId, stepId: selected.stepId, root: settings.objectRoot };
}

function reservedBy({ units }: Workload, { usages }: Situation): Reserved {
  return Object.fromEntries(
    usages.flatMap(({ account, day }) => {
      const count = units.get(account.id);
      return count === undefined ? [] : [[account.id, { day, units: count }]];
    }),
  );
}

function claimWrites({ situation, lease, workload }: Try): Write[] {
  const { run, runVersion, selected, leaseDocument, usages } = situation;
  const field = (...rest: string[]): FieldPath => ['steps', selected.stepId, ...rest];
  const replay = selected.entry === 'replay';
  return [
    {
      kind: 'patch',
      path: paths.flowRun(run.runId),
      when: { version: runVersion },
      fields: [
        [field('status'), 'RUNNING'],
        ...(replay
          ? ([
              [field('finishedAt'), undefined],
              [field('error'), undefined],
            ] as const)
          : []),
      ],
    },
    {
      kind: 'put',
      path: paths.lease(run.runId, selected.stepId),
      data: leaseData(lease),
      when: leaseDocument ? { version: leaseDocument.version } : { absent: true },
    },
    ...usages.flatMap((usage) => {
      const units = workload.units.get(usage.account.id) ?? 0;
      return units > 0 ? [usageWrite(paths.usage(usage.account.id), usage, units)] : [];
    }),
  ];
}

function interruptedBeforeClaim({ run, selected }: Situation, tried: boolean): StepOutcome {
  return {
    reason: 'interrupted',
    runId: run.runId,
    stepId: selected.stepId,
    claimed: false,
    attempt: null,
    message: tried
      ? 'interrupted while the claim was not yet made; whoever runs the step next goes on'
      : 'interrupted before the claim; nothing was written',
  };
}

function refusedTooOften({ run, selected }: Situation): StepOutcome {
  return {
    reason: 'contended',
    runId: run.runId,
    stepId: selected.stepId,
    status: selected.status,
    message: `step ${selected.stepId} could not be claimed before the deadline: others keep writing its run; run again`,
  };
}
