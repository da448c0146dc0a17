import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { CallerReport, CallerTask } from './caller.js';

const CALLER = fileURLToPath(new URL('./caller.ts', import.meta.url));

/** Runs `caller.ts`; rejects when it fails or says anything on stderr. */
export async function callInChild(
  task: CallerTask,
  env: Readonly<Record<string, string>> = {},
): Promise<CallerReport> {
  const argv = ['--import', 'tsx', CALLER, JSON.stringify(task)];
  const options = { env: { PATH: process.env.PATH, ...env }, timeout: 60_000 };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, argv, options);
  if (stderr !== '') throw new Error(stderr);
  return JSON.parse(stdout) as CallerReport;
}
