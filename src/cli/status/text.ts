import { Chalk, type ChalkInstance } from 'chalk';
import type { Backend } from '../../config/worker-config.js';
import { ago, duration } from '../durations.js';
import { shortPath } from '../summary.js';
import { type Cell, plain, table, widthOf } from '../table.js';
import { colourLevel, type TerminalStream } from '../terminal.js';
import type { LeaseView, StatusView, StepView } from './look.js';

/** Failures that are told one by one. */
const MANY = 5;

/** Where it is shown, and where it was read. */
export interface StatusPlace {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly backend: Backend;
}

/** Pure: a table of the steps, then what there is to say of each. */
export function statusLines(
  view: StatusView,
  stream: TerminalStream,
  { env, cwd, backend }: StatusPlace,
): string[] {
  const chalk = new Chalk({ level: colourLevel(stream, env) });
  const facts = [view.symbol, view.status].filter((fact) => fact !== null).map(plain);
  const head = [`run ${view.runId}`, ...facts].join('  ');
  const notYet = view.stored
    ? []
    : ['not imported yet: this is the file’s own state; run-local imports the file when it runs'];
  if (view.steps.length === 0) return [head, ...notYet, 'it has no CHART_EXPORT step'];
  const nowMs = Date.parse(view.at);
  const rows = view.steps.map((step): Cell[] => [
    { text: step.stepId },
    { text: step.status, paint: paintOf(step, chalk) },
    { text: step.verdict === 'final' ? '-' : step.verdict },
    { text: chartsOf(step) },
    { text: step.attempt === null ? '-' : String(step.attempt) },
    { text: sinceOf(step, nowMs) },
  ]);
  const columns = [
    { head: 'STEP' },
    { head: 'STATUS' },
    { head: 'NOW' },
    { head: 'CHARTS' },
    { head: 'TRY', align: 'right' },
    { head: 'SINCE' },
  ] as const;
  return [
    head,
    ...notYet,
    '',
    ...table(columns, rows, widthOf(stream)),
    ...view.steps.flatMap((step) => details(step, nowMs, { cwd, backend }, chalk)),
  ];
}

function paintOf({ status, manifest }: StepView, chalk: ChalkInstance) {
  if (status === 'FAILED') return chalk.red;
  if (status === 'RUNNING') return chalk.cyan;
  if (status !== 'SUCCEEDED') return undefinedPaint;
  return manifest?.failures?.length || manifest?.problem ? chalk.yellow : chalk.green;
}

function undefinedPaint(text: string): string {
  return text;
}

function chartsOf({ manifest }: StepView): string {
  if (manifest === null) return '-';
  if (manifest.items === null) return '?';
  const failed = manifest.failures?.length ?? 0;
  return `${manifest.items} ok${failed > 0 ? `, ${failed} failed` : ''}`;
}

function sinceOf({ verdict, finishedAt, lease }: StepView, nowMs: number): string {
  if (verdict === 'final') return relative(finishedAt, nowMs);
  return lease && lease.standing !== 'none' ? relative(lease.since, nowMs) : '-';
}

function relative(time: string | null, nowMs: number): string {
  const ms = nowMs - Date.parse(time ?? '');
  return Number.isNaN(ms) ? '-' : ago(ms);
}

function details(
  step: StepView,
  nowMs: number,
  { cwd, backend }: Pick<StatusPlace, 'cwd' | 'backend'>,
  chalk: ChalkInstance,
): string[] {
  const { stepId, reason, blockedBy, lease, error, manifest, verdict } = step;
  const isHeldOrWas = lease !== null && lease.standing !== 'none' && step.status === 'RUNNING';
  const lines: (readonly [string, string])[] = [
    ...(reason === null || verdict === 'held'
      ? []
      : [['why', reason.replace(`step ${stepId} is `, '')] as const]),
    ...hintsOf(verdict, blockedBy, backend),
    ...(isHeldOrWas ? [['holder', holderOf(lease, nowMs)] as const] : []),
    ...(error
      ? ([
          ['error', `${error.title}. ${error.code}: ${error.message}`],
          ['remedy', error.remedy],
        ] as const)
      : []),
  ];
  if (manifest) {
    lines.push(['manifest', manifest.gsUri]);
    const { localPath, httpsUrl } = manifest;
    const open = localPath === null ? httpsUrl : shortPath(localPath, cwd);
    if (open !== null) lines.push(['', open]);
    if (manifest.problem !== null) lines.push(['', `manifest: ${manifest.problem}`]);
    const failures = manifest.failures ?? [];
    for (const { chartTemplateId, title, code, message } of failures.slice(0, MANY)) {
      lines.push(['failed', `${chartTemplateId}: ${title}. ${code}: ${message}`]);
    }
    if (failures.length > MANY) lines.push(['', `and ${failures.length - MANY} more`]);
    // What the step's own error says already is not said again.
    const told = new Set([error?.remedy]);
    const remedies = new Set(failures.map(({ remedy }) => remedy));
    for (const remedy of remedies) if (!told.has(remedy)) lines.push(['remedy', remedy]);
  }
  if (lines.length === 0) return [];
  return [
    '',
    chalk.bold(plain(stepId)),
    ...lines.map(([name, words]) => `  ${chalk.dim(name.padEnd(8))}  ${plain(words)}`),
  ];
}

function hintsOf(
  verdict: StepView['verdict'],
  blockedBy: readonly string[],
  backend: Backend,
): (readonly [string, string])[] {
  if (verdict === 'eligible') {
    const how =
      backend === 'local'
        ? 'run-local or sweep does it'
        : 'the function does it at its event; run-local or sweep does it now';
    return [['next', how]];
  }
  if (verdict !== 'blocked') return [];
  const areAllAbsent = blockedBy.every((blocker) => blocker.endsWith('(not in the run)'));
  return [
    [
      'next',
      areAllAbsent
        ? 'run-local with --step-id passes over what is not in the run'
        : 'it may begin once these are SUCCEEDED; run-local with --ignore-dependencies does it before',
    ],
  ];
}

function holderOf(lease: LeaseView, nowMs: number): string {
  const { pid, host, standing, since, lastBeatAt, ttlMs, attempt } = lease;
  const words = {
    live: `at work; its last sign of life was ${relative(lastBeatAt, nowMs)}, after ${duration(ttlMs)} of silence it counts as dead`,
    expired: `dead; its last sign of life was ${relative(lastBeatAt, nowMs)}`,
    released: `gave the step back ${relative(lastBeatAt, nowMs)}`,
    none: 'done',
  };
  return `process ${pid} on ${host} since ${since} (${relative(since, nowMs)}), attempt ${attempt}, lease ${lease.state}: ${words[standing]}`;
}
