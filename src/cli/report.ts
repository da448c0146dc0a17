import { relative, resolve } from 'node:path';
import { gsUri, manifestName } from '../artifacts/object-names.js';
import { parsePlaceConfig } from '../config/run-config.js';
import type { PlaceConfig } from '../config/worker-config.js';
import { isRunId, isStepId } from '../contracts/ids.js';
import { ConfigError, reasonOf } from '../failures.js';
import { readInput } from '../local-disk/input-file.js';
import type { Logger } from '../log/logger.js';
import { buildReport } from '../report/build-report.js';
import { openBackend } from '../worker/open-backend.js';
import type { Given } from './command.js';
import { manifestIn, prepareReport, writePage, writeReport } from './report-file.js';
import { toldCommand } from './told-command.js';

const DEFAULT_FILE = 'charts-report.html';

/** The command `report`: one page for one manifest; exit 0 also where a picture is missing. */
export const reportCommand = toldCommand(async (given, { logger }, { env, cwd }) => {
  const { flags } = given;
  const wanted = manifestOf(given);
  const place = parsePlaceConfig(flags, env, cwd, { bucket: wanted.kind === 'step' });
  const file = resolve(cwd, typeof flags.report === 'string' ? flags.report : DEFAULT_FILE);
  const pageOf = async () => {
    if (wanted.kind === 'file') return fromFile(resolve(cwd, wanted.path), file, place, logger);
    const bucket = wanted.kind === 'uri' ? wanted.bucket : place.bucket;
    const backend = await openBackend({ ...place, bucket, touchesObjects: true }, 'read', logger);
    try {
      const uri = wanted.kind === 'uri' ? wanted.uri : gsUri(bucket, manifestName(wanted));
      return await writeReport(file, uri, backend.artifacts);
    } finally {
      await backend.close();
    }
  };
  const { unshown } = await pageOf();
  for (const { chartTemplateId, reason } of unshown) {
    logger.warn('report_incomplete', `${chartTemplateId} has no picture in the report: ${reason}`, {
      chartTemplateId,
    });
  }
  const short = relative(cwd, file);
  return {
    exitCode: 0,
    text: `report  ${short.startsWith('..') ? file : short}\n`,
    json: { report: file, unshown },
  };
});

type Wanted =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'uri'; readonly uri: string; readonly bucket: string }
  | { readonly kind: 'step'; readonly runId: string; readonly stepId: string };

function manifestOf({ flags, operands }: Given): Wanted {
  const [path] = operands;
  const { runId, stepId } = flags;
  if (path !== undefined) {
    const bucket = /^gs:\/\/([^/]+)\/./.exec(path)?.[1];
    if (bucket === undefined && path.startsWith('gs://')) {
      throw new ConfigError(`${path} names no manifest: write gs://bucket/…/manifest.json`);
    }
    return bucket === undefined ? { kind: 'file', path } : { kind: 'uri', uri: path, bucket };
  }
  if (!isRunId(runId) || !isStepId(stepId)) {
    throw new ConfigError(
      'name a manifest: a file, a gs:// URI, or a step with --run-id and --step-id',
    );
  }
  return { kind: 'step', runId, stepId };
}

/** The pictures lie in the bucket that the manifest names. */
async function fromFile(path: string, file: string, place: PlaceConfig, logger: Logger) {
  let body: Buffer;
  try {
    body = await readInput(path);
  } catch (error) {
    throw new ConfigError(`${path} cannot be read: ${reasonOf(error)}`);
  }
  const manifest = manifestIn(body, path);
  const uri = manifest.items[0]?.png_gcs_uri ?? '';
  const bucket = /^gs:\/\/([^/]+)\//.exec(uri)?.[1] ?? place.bucket;
  const backend = await openBackend({ ...place, bucket, touchesObjects: true }, 'read', logger);
  try {
    const { artifacts } = backend;
    await prepareReport(file);
    const report = await buildReport({ manifest, artifacts, now: new Date() });
    await writePage(file, report.html);
    return report;
  } finally {
    await backend.close();
  }
}
