import { plansAtHand } from '../accounts/plans.js';
import { type AccountUsage, dayOf, readUsage } from '../accounts/usage.js';
import type { DocumentPath, Reading, StoredDocument } from '../documents/document-store.js';
import { paths } from '../documents/paths.js';
import type { EngineDeps, StepRequest } from './deps.js';
import { addressRun, type Run } from './flow-run.js';
import { type LeaseDocument, parseLease } from './lease-document.js';
import type { StepOutcome } from './outcome.js';
import {
  type DraftedChart,
  draftCharts,
  type InvalidInputs,
  listed,
  type PlannedChart,
  planCharts,
  readInputs,
  requestedTemplateIds,
  type StepInputs,
} from './plan.js';
import { type Selected, select, shortlist } from './select.js';
import { ServerClock, Stopwatch } from './server-clock.js';

/** All that is known of the selected step at one moment; nothing was written yet. */
export interface Situation {
  readonly run: Run;
  readonly runVersion: string;
  readonly selected: Selected;
  readonly serverClock: ServerClock;
  /** The lease that stands in the step's way, or did. */
  readonly leaseDocument: StoredDocument | undefined;
  readonly lease: LeaseDocument | undefined;
  readonly inputs: StepInputs | InvalidInputs;
  /** Empty when the inputs are wrong. */
  readonly charts: readonly PlannedChart[];
  readonly usages: readonly AccountUsage[];
}

/** What every log line about the step says. */
export function scopeOf({ run, selected }: Situation): Readonly<Record<string, string>> {
  const { flowKey } = run.data;
  return { stepId: selected.stepId, ...(typeof flowKey === 'string' && { flowKey }) };
}

/** What was found, and the leases it was judged by. */
export interface Survey {
  readonly result: Situation | StepOutcome;
  /** As read with the rest; `undefined`: there is none, or it was not looked at. */
  leaseOf(stepId: string): StoredDocument | undefined;
}

/** What the caller knows or wants to know besides. */
export interface SurveyHints {
  /** The run as last seen: tells which documents will be needed. */
  readonly run: Run | undefined;
  /** Steps whose leases are to be read in any case. */
  readonly stepIds: readonly string[];
  /** Templates whose doubts were told already; those told now are added. */
  readonly doubted: Set<string>;
}

/**
 * Select and plan, from one reading of all documents that the step needs, whatever the number of
 * charts and accounts. Where the run is not as it was last seen it may need others than were read:
 * then they are all read again, as of one moment.
 */
export async function survey(
  request: StepRequest,
  deps: EngineDeps,
  hints: SurveyHints,
): Promise<Survey> {
  let wanted = documentsFor(hints.run, request, deps, hints.stepIds);
  for (;;) {
    const since = new Stopwatch(deps.clock);
    const reading = await deps.documents.read([...wanted]);
    const leaseOf = (stepId: string) => reading.get(paths.lease(request.runId, stepId));
    const addressed = addressIn(reading, request);
    if ('reason' in addressed) return { result: addressed, leaseOf };
    const needed = documentsFor(addressed.run, request, deps, hints.stepIds);
    if ([...needed].every((path) => wanted.has(path))) {
      const serverClock = new ServerClock(reading.readTimeMs, since);
      return {
        result: await judge(addressed, reading, serverClock, request, deps, hints),
        leaseOf,
      };
    }
    wanted = new Set([...wanted, ...needed]);
  }
}

function documentsFor(
  run: Run | undefined,
  request: StepRequest,
  { accounts }: EngineDeps,
  moreStepIds: readonly string[],
): Set<DocumentPath> {
  const stepIds = run ? shortlist(run, request) : [];
  return new Set([
    paths.flowRun(request.runId),
    ...[...stepIds, ...moreStepIds].map((stepId) => paths.lease(request.runId, stepId)),
    ...stepIds.flatMap((id) => (run ? requestedTemplateIds(run, id) : [])).map(paths.template),
    ...accounts.map(({ id }) => paths.usage(id)),
  ]);
}

async function judge(
  { run, version: runVersion }: { run: Run; version: string },
  reading: Reading,
  serverClock: ServerClock,
  request: StepRequest,
  deps: EngineDeps,
  { doubted }: SurveyHints,
): Promise<Situation | StepOutcome> {
  const leaseOf = (stepId: string) => reading.get(paths.lease(request.runId, stepId));
  const leases = { readTimeMs: reading.readTimeMs, of: leaseOf, ownerIsGone: deps.ownerIsGone };
  const selected = select(run, request, leases, deps.logger);
  if ('reason' in selected) return selected;

  const { stepId } = selected;
  const inputs = readInputs(run, stepId);
  const charts =
    'error' in inputs
      ? []
      : await foresee(
          draftCharts(
            inputs,
            await templates(inputs, (id) => reading.get(paths.template(id)), deps),
            deps.settings.timezone,
          ),
          deps,
        );
  tellDoubts(charts, doubted, deps.logger.with({ stepId }));
  const day = dayOf(reading.readTimeMs);
  return {
    run,
    runVersion,
    selected,
    serverClock,
    leaseDocument: leaseOf(stepId),
    lease: parseLease(leaseOf(stepId)),
    inputs,
    charts,
    usages: deps.accounts.map((account) =>
      readUsage(account, reading.get(paths.usage(account.id)), day),
    ),
  };
}

function addressIn(
  reading: Reading,
  { runId, stepId }: StepRequest,
): { run: Run; version: string } | StepOutcome {
  const document = reading.get(paths.flowRun(runId));
  if (!document) {
    const message = `there is no flow run ${runId}`;
    return { reason: 'not-addressable', isAbsent: true, runId, stepId: stepId ?? null, message };
  }
  const run = addressRun(document.data, stepId);
  return 'reason' in run ? run : { run, version: document.version };
}

/** The store's own template first, then the fallback's. */
async function templates(
  { chartTemplateIds }: StepInputs,
  stored: (chartTemplateId: string) => StoredDocument | undefined,
  deps: EngineDeps,
): Promise<(chartTemplateId: string) => unknown> {
  const found = new Map(
    await Promise.all(
      chartTemplateIds.map(
        async (id) => [id, stored(id)?.data ?? (await deps.templates.find(id))] as const,
      ),
    ),
  );
  return (id) => found.get(id);
}

async function foresee(drafts: readonly DraftedChart[], deps: EngineDeps): Promise<PlannedChart[]> {
  const requests = drafts.flatMap((draft) => (draft.kind === 'draft' ? [draft.request] : []));
  const foresights = await deps.provider.foresee(requests);
  const plans = plansAtHand(deps.accounts);
  const charts = planCharts(drafts, (request) => foresights.get(request), plans);
  for (const chart of charts) {
    if (chart.kind === 'fail' && chart.error.code === 'CHART_API_MOCK_MISSING') {
      deps.logger.warn('chart_api_mock_missing', chart.error.message, chart.error.details);
    }
  }
  return charts;
}

/** Once a template, however often the claim has to look again. */
function tellDoubts(
  charts: readonly PlannedChart[],
  told: Set<string>,
  logger: EngineDeps['logger'],
): void {
  for (const { chartTemplateId, warnings } of charts) {
    if (!warnings || told.has(chartTemplateId)) continue;
    told.add(chartTemplateId);
    const message = `chart template ${chartTemplateId}: ${listed(warnings)}`;
    logger.warn('chart_template_warning', message, { chartTemplateId, warnings });
  }
}
