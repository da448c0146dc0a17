/** The JSON documents this program reads and writes; their types are made from `schemas/`. */
export type {
  Account,
  Accounts,
  ChartExportStep,
  ChartOrder,
  ChartSnapshot,
  ChartSymbol,
  ChartsOutputsManifest,
  ChartTemplate,
  FlowRun,
  Indicator,
  ManifestFailure,
  ManifestItem,
  PlannedChart,
  RunSummary,
  SummaryItem,
} from './generated/types.js';

/** Any JSON object, before its schema was checked. */
export type JsonObject = Record<string, unknown>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
