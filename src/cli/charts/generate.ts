import { dirname, join } from 'node:path';
import type { ArtifactStore } from '../../artifacts/artifact-store.js';
import { gsUri, httpsUrl, plainPngName } from '../../artifacts/object-names.js';
import { type OutPath, parseOrderConfig } from '../../config/order-config.js';
import { counted } from '../../counted.js';
import { reasonOf, StoreUnavailable } from '../../failures.js';
import { kilobytes } from '../../kilobytes.js';
import type { Generated, LibraryErrorCode } from '../../library/library.js';
import { libraryOn } from '../../library/library-on.js';
import { openWorker } from '../../worker/worker.js';
import { announce } from '../announce.js';
import { toLines } from '../lines.js';
import { copyObject, prepareOut } from '../out-folder.js';
import { shortPath } from '../templates/template-files.js';
import { toldCommand } from '../told-command.js';

/** The command `charts generate`: exit 0 when every chart is there. */
export const generateCharts = toldCommand(async ({ flags }, session, { env, cwd }) => {
  const config = await parseOrderConfig(flags, env, cwd);
  const { order, out } = config;
  session.know(config.accounts);
  const { logger, signal } = session;
  announce({ mode: 'generate' }, config, logger);
  const unusedOut = out && (await prepareOut(out.isFile ? dirname(out.path) : out.path));
  try {
    const worker = await openWorker(config, 'write', logger);
    const library = libraryOn(worker, config, logger);
    try {
      const { artifacts } = worker;
      const generated = await library.generate(order, signal);
      if (out) await copyOut(out, generated, artifacts);
      const shown = generated.map((one) => view(one, artifacts));
      const there = generated.filter(({ kind }) => kind === 'chart').length;
      const tally = `${there} of ${counted(generated.length, 'chart')}`;
      return {
        exitCode: exitCodeOf(generated),
        text: toLines([...shown.flatMap((one) => linesOf(one, cwd)), tally]),
        json: { chartsCount: there, failuresCount: generated.length - there, charts: shown },
      };
    } finally {
      await library.close();
    }
  } finally {
    await unusedOut?.();
  }
});

/** Nothing can be made of what was named. */
const NOT_ADDRESSABLE: readonly LibraryErrorCode[] = [
  'SYMBOL_NOT_FOUND',
  'SYMBOL_DISABLED',
  'TIMEFRAME_INVALID',
];

/** As for a step: 1 where a chart is missing, 2 where not one could even be asked for. */
function exitCodeOf(generated: readonly Generated[]): 0 | 1 | 2 {
  const errors = generated.flatMap((one) => (one.kind === 'refused' ? [one.error.code] : []));
  if (errors.length === 0) return 0;
  const isAll = errors.length === generated.length;
  return isAll && errors.every((code) => NOT_ADDRESSABLE.includes(code)) ? 2 : 1;
}

type Shown = ReturnType<typeof view>;

/** What `--json` says of one chart; `localPath` is null in the cloud, as `url` is on this machine. */
function view(generated: Generated, artifacts: ArtifactStore) {
  if (generated.kind === 'refused') {
    const { symbol, timeframe, error } = generated;
    return { status: 'refused' as const, symbol, timeframe, error };
  }
  const { snapshot, source, notices } = generated;
  const localPath = artifacts.localPath(nameOf(snapshot.uri, artifacts)) ?? null;
  const url = localPath === null ? httpsUrl(snapshot.uri) : null;
  const { symbol, timeframe } = snapshot;
  return {
    status: 'stored' as const,
    symbol,
    timeframe,
    source,
    notices,
    localPath,
    url,
    snapshot,
  };
}

function linesOf(shown: Shown, cwd: string): string[] {
  const { symbol, timeframe } = shown;
  if (shown.status === 'refused') {
    const { code, message } = shown.error;
    return [`failed  ${symbol} ${timeframe}  ${code}: ${message}`];
  }
  const { snapshot, source, notices, localPath, url } = shown;
  const { chartTemplateId, width, height, bytes, generatedAt } = snapshot;
  const place = localPath === null ? (url ?? '') : shortPath(localPath, cwd);
  const age = source === 'cache' ? `, from the cache, rendered ${generatedAt}` : '';
  const facts = `${width}×${height}, ${kilobytes(bytes)}${age}`;
  return [
    `ok      ${symbol} ${timeframe} ${chartTemplateId}  ${place}  (${facts})`,
    ...notices.map((notice) => `        ${notice}`),
  ];
}

function nameOf(uri: string, { bucket }: ArtifactStore): string {
  return uri.slice(gsUri(bucket, '').length);
}

async function copyOut(
  { path, isFile }: OutPath,
  generated: readonly Generated[],
  artifacts: ArtifactStore,
): Promise<void> {
  for (const one of generated) {
    if (one.kind === 'refused') continue;
    const { uri, generatedAt } = one.snapshot;
    const plain = plainPngName(one.snapshot, new Date(generatedAt));
    const file = isFile ? path : join(path, plain);
    try {
      await copyObject(artifacts, uri, file);
    } catch (error) {
      throw new StoreUnavailable(
        `the chart is stored, but ${file} is not written: ${reasonOf(error)}; it stands at ${uri}`,
      );
    }
  }
}
