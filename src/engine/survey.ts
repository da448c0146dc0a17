import { type AccountUsage, dayOf, readUsage } from '../accounts/usage.js';
import type { StoredDocument } from '../documents/document-store.js';
import { paths } from '../documents/paths.js';
import type { EngineDeps, StepRequest } from './deps.js';
import { type LeaseDocument, parseLease } from './lease-document.js';
import type { StepOutcome } from './outcome.js';
import {
  type DraftedChart,
  draftCharts,
  type InvalidInputs,
  type PlannedChart,
  planCharts,
  readInputs,
  requestedTemplateIds,
  type StepInputs,
} from './plan.js';
import { addressRun, type Run, type Selected, select, shortlist } from './select.js';
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

/**
 * Select and plan: two reads, whatever the number of charts and accounts. The first tells which
 * documents the step needs, the second reads them all, the run again among them, as of one moment.
 */
export async function survey(
  request: StepRequest,
  deps: EngineDeps,
): Promise<Situation | StepOutcome> {
  const { documents, logger } = deps;
  const runPath = paths.flowRun(request.runId);
  const first = addressIn(await documents.read([runPath]), request);
  if ('reason' in first) return first;

  const stepIds = shortlist(first.run, request);
  const since = new Stopwatch(deps.clock);
  const reading = await documents.read([
    runPath,
    ...stepIds.map((stepId) => paths.lease(request.runId, stepId)),
    ...stepIds.flatMap((stepId) => requestedTemplateIds(first.run, stepId)).map(paths.template),
    ...deps.accounts.map(({ id }) => paths.usage(id)),
  ]);
  const addressed = addressIn(reading, request);
  if ('reason' in addressed) return addressed;
  const { run, version: runVersion } = addressed;

  const leaseOf = (stepId: string) => reading.get(paths.lease(request.runId, stepId));
  const leases = { readTimeMs: reading.readTimeMs, of: leaseOf, ownerIsGone: deps.ownerIsGone };
  const selected = select(run, request, leases, logger);
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
  const day = dayOf(reading.readTimeMs);
  return {
    run,
    runVersion,
    selected,
    serverClock: new ServerClock(reading.readTimeMs, since),
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
  reading: { get(path: string): StoredDocument | undefined },
  { runId, stepId }: StepRequest,
): { run: Run; version: string } | StepOutcome {
  const document = reading.get(paths.flowRun(runId));
  if (!document) {
    const message = `there is no flow run ${runId}`;
    return { reason: 'not-addressable', runId, stepId: stepId ?? null, message };
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
  const found = new Map<string, unknown>();
  for (const id of chartTemplateIds) {
    found.set(id, stored(id)?.data ?? (await deps.templates.find(id)));
  }
  return (id) => found.get(id);
}

async function foresee(drafts: readonly DraftedChart[], deps: EngineDeps): Promise<PlannedChart[]> {
  const requests = drafts.flatMap((draft) => (draft.kind === 'draft' ? [draft.request] : []));
  const foresights = await deps.provider.foresee(requests);
  const charts = planCharts(drafts, (request) => foresights.get(request));
  for (const chart of charts) {
    if (chart.kind === 'fail' && chart.error.code === 'CHART_API_MOCK_MISSING') {
      deps.logger.warn('chart_api_mock_missing', chart.error.message, chart.error.details);
    }
  }
  return charts;
}
