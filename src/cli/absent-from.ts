import type { PlaceConfig } from '../config/worker-config.js';

/** Where a flow run was looked for that is not there, and what helps. */
export function absentFrom({ cloud, workspace }: PlaceConfig, isFromFile: boolean): string {
  if (cloud === undefined) {
    return `the workspace ${workspace}: name another with --workspace, or the run’s file with run-local --flow-run-path`;
  }
  const remedy = isFromFile
    ? 'run-local --create-flow-run creates it from the file'
    : 'run-local --flow-run-path with --create-flow-run creates it from a file';
  return `Firestore database ${cloud.database}: check --project, --database and the id; ${remedy}`;
}
