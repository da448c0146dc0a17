import { gsUri, manifestName, stepFolder } from '../artifacts/object-names.js';
import type { ChartsOutputsManifest, ManifestItem } from '../contracts/documents.js';
import { validateManifest } from '../contracts/validate.js';
import type { EngineDeps, StepRequest } from './deps.js';
import { listed } from './flow-run.js';
import type { LeaseDocument } from './lease-document.js';
import type { StepError, StepOutcome } from './outcome.js';
import type { StoredChart } from './stored-chart.js';
import type { Situation } from './survey.js';

/** What stays as the last manifest has it, where only some charts are to be rendered anew. */
export interface Kept {
  readonly stored: ReadonlyMap<string, StoredChart>;
  readonly failed: ReadonlyMap<string, StepError>;
  /** Those that are rendered; `undefined`: all, nothing is kept. */
  readonly only: readonly string[] | undefined;
}

const NOTHING: Kept = { stored: new Map(), failed: new Map(), only: undefined };

/**
 * Reads the last manifest and looks whether its pictures are still there, bytes unchanged. What
 * cannot be kept is refused before anything is written. A takeover keeps what the dead one did.
 */
export async function keptCharts(
  { run, selected, inputs }: Situation,
  draft: LeaseDocument,
  request: StepRequest,
  { artifacts, settings, logger }: EngineDeps,
): Promise<Kept | StepOutcome> {
  const isTakeover = selected.entry === 'takeover';
  const asked = isTakeover ? draft.only : request.only;
  if (asked === undefined || 'error' in inputs) return NOTHING;
  const { runId } = run;
  const { stepId } = selected;
  const step = { runId, stepId, root: settings.objectRoot };
  // Whoever takes over has nobody to ask: what cannot be kept is rendered.
  const refuse = (message: string): Kept | StepOutcome =>
    isTakeover ? NOTHING : { reason: 'misconfigured', message };

  const manifest = parsed((await artifacts.get(manifestName(step)))?.body);
  if (!manifest) {
    return refuse(
      `step ${stepId} has no manifest to keep the other charts from; leave --only and --only-failed out`,
    );
  }
  const items = new Map(manifest.items.map((item) => [item.chartTemplateId, item]));
  const failures = new Map(
    manifest.failures.map(({ request: { chartTemplateId }, error }) => [chartTemplateId, error]),
  );
  const ids = inputs.chartTemplateIds;
  const only = asked === 'failed' ? ids.filter((id) => !items.has(id)) : asked;
  const strangers = only.filter((id) => !ids.includes(id));
  if (strangers.length > 0) {
    return refuse(
      `--only: step ${stepId} does not ask for ${listed(strangers)}; it asks for ${listed(ids)}`,
    );
  }
  if (only.length === 0) {
    const message = `no chart of step ${stepId} failed; nothing to do`;
    return { reason: 'nothing-eligible', runId, isAtWork: false, message };
  }

  const objects = new Map(
    (await artifacts.list(stepFolder(step))).map((object) => [
      gsUri(artifacts.bucket, object.name),
      object,
    ]),
  );
  const isThere = ({ png_gcs_uri: uri, meta }: ManifestItem) =>
    objects.get(uri)?.metadata.sha256 === meta?.sha256 && objects.has(uri);
  const stored = new Map<string, StoredChart>();
  const failed = new Map<string, StepError>();
  const gone: string[] = [];
  for (const id of ids.filter((candidate) => !only.includes(candidate))) {
    const item = items.get(id);
    const error = failures.get(id);
    if (item && isThere(item)) {
      stored.set(id, { name: objects.get(item.png_gcs_uri)?.name ?? '', item });
    } else if (error && !item) failed.set(id, error as StepError);
    else gone.push(id);
  }
  if (gone.length > 0) {
    return refuse(
      `--only: the last manifest of step ${stepId} has no usable chart of ${listed(gone)}; name it in --only too`,
    );
  }
  for (const id of stored.keys()) {
    logger.info('chart_reused', `${id} is kept from the last manifest`, {
      stepId,
      chartTemplateId: id,
    });
  }
  return { stored, failed, only };
}

function parsed(body: Uint8Array | undefined): ChartsOutputsManifest | undefined {
  try {
    const checked = validateManifest(JSON.parse(Buffer.from(body ?? []).toString('utf8')));
    return checked.ok ? checked.value : undefined;
  } catch {
    return undefined;
  }
}
