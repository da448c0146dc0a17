import { promises as fs } from 'node:fs';
import { httpsUrl } from '../artifacts/object-names.js';
import type { GithubConfig } from '../config/output-config.js';
import type { RunSummary } from '../contracts/documents.js';
import { counted } from '../counted.js';
import { reasonOf } from '../failures.js';
import { kilobytes } from '../kilobytes.js';
import type { OutcomeView } from './outcome-view.js';
import type { Session } from './session.js';
import type { SummaryContext } from './summary.js';
import type { TerminalStream } from './terminal.js';

/** GitHub shows no more of a step; those after it would be dropped without a word. */
const MAX_ANNOTATIONS = 10;

interface Told {
  readonly summary: RunSummary;
  readonly view: OutcomeView;
  readonly context: Pick<SummaryContext, 'localPathOf'>;
}

/**
 * What went wrong as annotations, and the whole as a step summary. Annotations are lines on stderr:
 * GitHub's documentation speaks of stdout, its runner reads both (`ScriptHandler.cs`), and our
 * stdout carries the summary and nothing else.
 */
export async function tellGithub(
  { stepSummary }: GithubConfig,
  told: Told,
  { logger, redact }: Pick<Session, 'logger' | 'redact'>,
  stderr: TerminalStream,
): Promise<void> {
  for (const line of annotations(told)) stderr.write(`${redact(line)}\n`);
  if (stepSummary === undefined) return;
  try {
    await fs.appendFile(stepSummary, redact(stepSummaryOf(told)));
  } catch (error) {
    logger.warn(
      'config_warning',
      `GITHUB_STEP_SUMMARY ${stepSummary} cannot be written: ${reasonOf(error)}`,
    );
  }
}

/** Workflow commands, at most as many as are shown; the last says how many there is no room for. */
export function annotations({ summary, view }: Omit<Told, 'context'>): string[] {
  const { failures, stepId } = summary;
  const all = failures.map(({ chartTemplateId, code, message }) =>
    command(`${chartTemplateId}: ${code}`, message),
  );
  if (all.length === 0 && view.exitCode !== 0) {
    const what = summary.errorCode ?? summary.status ?? 'nothing to do';
    return [command(stepId === null ? what : `${stepId}: ${what}`, view.message)];
  }
  if (all.length <= MAX_ANNOTATIONS) return all;
  const shown = all.slice(0, MAX_ANNOTATIONS - 1);
  const more = all.length - shown.length;
  return [...shown, command(`${more} more charts failed`, 'all of them stand in the step summary')];
}

/** Markdown: the verdict, a row a chart, the manifest. */
export function stepSummaryOf({ summary, view, context }: Told): string {
  const { status, errorCode, runId, stepId, items, failures, minImages, durationMs } = summary;
  const link = (uri: string, words: string) => {
    const path = context.localPathOf(uri);
    return path === undefined ? `[${markdown(words)}](${httpsUrl(uri)})` : markdown(path);
  };
  const place = [
    stepId !== null && `step ${markdown(stepId)}`,
    runId !== null && `run ${markdown(runId)}`,
  ].filter(Boolean);
  const counts = [
    `${counted(items.length, 'chart')}, ${counted(failures.length, 'failure')}`,
    minImages !== null && `${minImages} needed`,
    durationMs !== null && `${durationMs} ms`,
  ].filter(Boolean);
  const uri = summary.outputsManifestGcsUri;
  const rows = [
    ...items.map(({ chartTemplateId, pngGcsUri, width, height, bytes }) => [
      `✔ ${markdown(chartTemplateId)}`,
      `${link(pngGcsUri, 'PNG')} ${width}×${height}, ${kilobytes(bytes ?? 0)}`,
    ]),
    ...failures.map(({ chartTemplateId, code, message }) => [
      `✖ ${markdown(chartTemplateId)}`,
      `${markdown(code)}: ${markdown(message)}`,
    ]),
  ];
  const lines = [
    `### CHART\\_EXPORT ${markdown(status ?? errorCode ?? 'nothing to do')}`,
    '',
    ...(place.length > 0 ? [place.join(', '), ''] : []),
    ...(rows.length > 0
      ? [
          counts.join(', '),
          '',
          '| chart | result |',
          '|---|---|',
          ...rows.map((row) => `| ${row.join(' | ')} |`),
        ]
      : [markdown(view.message)]),
    '',
    ...(uri === null ? [] : [`Manifest: ${link(uri, 'manifest.json')}`, '']),
  ];
  return `${lines.join('\n')}\n`;
}

function command(title: string, message: string): string {
  const property = data(title).replaceAll(':', '%3A').replaceAll(',', '%2C');
  return `::error title=${property}::${data(message)}`;
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** A text of others as it is: every sign that Markdown, its tables or its links could take. */
function markdown(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll(/[\\`*_{}[\]()<>#+.!|~&$@:/"'-]/g, '\\$&');
}
