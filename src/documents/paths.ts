import type { DocumentPath } from './document-store.js';

/** Those that are listed. */
export const collections = {
  chartSymbols: 'chart_symbols',
  chartSnapshots: 'chart_snapshots',
  chartCache: 'chart_cache',
  chartLeases: 'chart_leases',
  /** The quota ledger. */
  usage: 'chart_img_accounts_usage',
} as const;

/** Whether a document belongs to the quota ledger. */
export function isUsagePath(path: DocumentPath): boolean {
  return path.startsWith(`${collections.usage}/`);
}

/** Where each document lives. Ids were checked against their allow-lists: none holds a slash. */
export const paths = {
  flowRun: (runId: string): DocumentPath => `flow_runs/${runId}`,
  leases: (runId: string): string => `flow_runs/${runId}/step_leases`,
  lease: (runId: string, stepId: string): DocumentPath =>
    `flow_runs/${runId}/step_leases/${stepId}`,
  template: (chartTemplateId: string): DocumentPath => `chart_templates/${chartTemplateId}`,
  usage: (accountId: string): DocumentPath => `${collections.usage}/${accountId}`,
  chartSymbol: (symbol: string): DocumentPath => `${collections.chartSymbols}/${symbol}`,
  chartSnapshot: (id: string): DocumentPath => `${collections.chartSnapshots}/${id}`,
  chartCache: (key: string): DocumentPath => `${collections.chartCache}/${key}`,
  chartLease: (key: string): DocumentPath => `${collections.chartLeases}/${key}`,
  /** The local backend's own memory of which file a run was imported from. */
  flowRunImport: (runId: string): DocumentPath => `flow_run_imports/${runId}`,
};
