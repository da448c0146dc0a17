import { relative } from 'node:path';
import { httpsUrl } from '../artifacts/object-names.js';
import type { Backend, ChartsApiMode } from '../config/worker-config.js';
import type { RunSummary, SummaryItem } from '../contracts/documents.js';
import { kilobytes } from '../kilobytes.js';
import { type CommandOutcome, isError, type OutcomeView } from './outcome-view.js';

/** What a summary needs to know besides the outcome; unknown when not even the flags were right. */
export interface SummaryContext {
  readonly chartsApiMode: ChartsApiMode | null;
  readonly backend: Backend | null;
  readonly dryRun: boolean;
  /** `undefined`: not on this machine. */
  readonly localPathOf: (gsUri: string) => string | undefined;
}

/** The object of `--output-summary json`; meets `schemas/run_summary.schema.json`. */
export function toSummary(
  outcome: CommandOutcome,
  view: OutcomeView,
  { chartsApiMode, backend, dryRun, localPathOf }: SummaryContext,
): RunSummary {
  const settled =
    outcome.reason === 'succeeded' || outcome.reason === 'failed' ? outcome : undefined;
  return {
    schemaVersion: 1,
    status: view.status,
    runId: ('runId' in outcome && outcome.runId) || null,
    stepId: ('stepId' in outcome && outcome.stepId) || null,
    outputsManifestGcsUri: 'manifestUri' in outcome ? outcome.manifestUri : null,
    itemsCount: settled?.items.length ?? null,
    failuresCount: settled?.failures.length ?? null,
    minImages: 'minImages' in outcome ? outcome.minImages : null,
    errorCode: view.errorCode,
    message: view.message,
    chartsApiMode,
    backend,
    durationMs: settled?.durationMs ?? null,
    noop: view.noop,
    dryRun,
    attempt: 'attempt' in outcome ? outcome.attempt : null,
    items: (settled?.items ?? []).map(
      ({ chartTemplateId, png_gcs_uri: pngGcsUri, meta }): SummaryItem => ({
        chartTemplateId,
        pngGcsUri,
        localPath: localPathOf(pngGcsUri) ?? null,
        width: meta?.width ?? null,
        height: meta?.height ?? null,
        bytes: meta?.bytes ?? null,
      }),
    ),
    failures: (settled?.failures ?? []).map(({ request, error }) => ({
      chartTemplateId: request.chartTemplateId,
      code: error.code,
      message: error.message,
    })),
    ...(outcome.reason === 'planned' && { plan: [...outcome.plan] }),
  };
}

/** The summary in words; its last line is for scripts that grep. */
export function toText(
  summary: RunSummary,
  view: OutcomeView,
  { localPathOf, cwd }: SummaryContext & { readonly cwd: string },
): string {
  const place = (uri: string) => {
    const path = localPathOf(uri);
    return path === undefined ? httpsUrl(uri) : shortPath(path, cwd);
  };
  const lines = [
    ...summary.items.map(
      ({ chartTemplateId, pngGcsUri, width, height, bytes }) =>
        `ok      ${chartTemplateId}  ${place(pngGcsUri)}  (${width}×${height}, ${kilobytes(bytes ?? 0)})`,
    ),
    ...summary.failures.map(
      ({ chartTemplateId, code, message }) => `failed  ${chartTemplateId}  ${code}: ${message}`,
    ),
    ...(summary.plan ?? []).map(
      ({ chartTemplateId, action, objectName, error }) =>
        `${action.padEnd(6)}  ${chartTemplateId}  ${error ? `${error.code}: ${error.message}` : objectName}`,
    ),
  ];
  const uri = summary.outputsManifestGcsUri;
  if (uri !== null) lines.push(`manifest  ${place(uri)}`);
  // Errors were said on stderr, where people look for them; charts speak for themselves.
  const isToldByCharts = summary.status === 'SUCCEEDED' || summary.failures.length > 0;
  if (!isError(view) && (view.noop || !isToldByCharts)) lines.push(view.message);
  return `${[...lines, lastLine(summary)].join('\n')}\n`;
}

/** For scripts that grep. */
export function lastLine(summary: RunSummary): string {
  const { status, errorCode, outputsManifestGcsUri, itemsCount, failuresCount, minImages } =
    summary;
  const facts = [
    `manifest=${outputsManifestGcsUri ?? '-'}`,
    `items=${itemsCount ?? '-'}`,
    `failures=${failuresCount ?? '-'}`,
    `minImages=${minImages ?? '-'}`,
    ...(errorCode === null ? [] : [`error=${errorCode}`]),
  ];
  return `CHART_EXPORT ${status ?? errorCode ?? '-'}: ${facts.join(', ')}`;
}

/** Relative where that is shorter to read: what lies below the current folder. */
export function shortPath(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short.startsWith('..') ? path : short;
}
