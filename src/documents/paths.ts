import type { DocumentPath } from './document-store.js';

const USAGE = 'chart_img_accounts_usage/';

/** Whether a document belongs to the quota ledger. */
export function isUsagePath(path: DocumentPath): boolean {
  return path.startsWith(USAGE);
}

/** Where each document lives. Ids were checked against their allow-lists: none holds a slash. */
export const paths = {
  flowRun: (runId: string): DocumentPath => `flow_runs/${runId}`,
  leases: (runId: string): string => `flow_runs/${runId}/step_leases`,
  lease: (runId: string, stepId: string): DocumentPath =>
    `flow_runs/${runId}/step_leases/${stepId}`,
  template: (chartTemplateId: string): DocumentPath => `chart_templates/${chartTemplateId}`,
  usage: (accountId: string): DocumentPath => `${USAGE}${accountId}`,
  /** The local backend's own memory of which file a run was imported from. */
  flowRunImport: (runId: string): DocumentPath => `flow_run_imports/${runId}`,
};
