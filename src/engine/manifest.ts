import type { ChartsOutputsManifest, ManifestFailure } from '../contracts/documents.js';
import { validateManifest } from '../contracts/validate.js';
import type { StepError } from './outcome.js';
import type { StepInputs } from './plan.js';
import type { Rendered } from './render.js';

/** Pure: the manifest of a step, both lists in request order. Throws if it would not meet its schema. */
export function buildManifest(
  identity: { runId: string; stepId: string },
  inputs: StepInputs,
  { stored, failed }: Pick<Rendered, 'stored' | 'failed'>,
  createdAt: Date,
): ChartsOutputsManifest {
  const ids = inputs.chartTemplateIds;
  const manifest: ChartsOutputsManifest = {
    schemaVersion: 1,
    ...identity,
    createdAt: createdAt.toISOString(),
    symbol: inputs.symbol,
    timeframe: inputs.timeframe,
    minImages: inputs.minImages,
    requested: ids.map((chartTemplateId) => ({ chartTemplateId })),
    items: ids.flatMap((id) => stored.get(id)?.item ?? []),
    failures: ids.flatMap((chartTemplateId) => {
      const error = failed.get(chartTemplateId);
      return error ? [toFailure(chartTemplateId, error)] : [];
    }),
  };
  const checked = validateManifest(manifest);
  if (!checked.ok) throw new Error(`the manifest is not valid: ${checked.errors.join('; ')}`);
  return manifest;
}

/** Absent stays absent, never null. */
function toFailure(
  chartTemplateId: string,
  { code, message, details }: StepError,
): ManifestFailure {
  return {
    request: { chartTemplateId },
    error: { code, message, ...(details && { details: { ...details } }) },
  };
}
