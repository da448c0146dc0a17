import type { ObjectName } from './artifact-store.js';

/** Whose objects they are. Ids were checked against their allow-lists before. */
export interface StepObjects {
  readonly runId: string;
  readonly stepId: string;
  /** The folder of all; absent: `charts`. */
  readonly root?: string | undefined;
}

/** The one place that names objects. */
export function stepFolder({ runId, stepId, root = 'charts' }: StepObjects): string {
  return `${root}/${runId}/${stepId}/`;
}

export function manifestName(step: StepObjects): ObjectName {
  return `${stepFolder(step)}manifest.json`;
}

/** Where a replay keeps the manifest it is about to replace. */
export function keptManifestName(step: StepObjects, createdAt: string): ObjectName {
  return `${stepFolder(step)}manifest.${createdAt}.json`;
}

/** Where a trial puts what is not to take the place of anything: `scratch/<YYYYMMDD-HHmmss>`. */
export function scratchRoot(startedAt: Date): string {
  return `scratch/${stampOf(startedAt)}`;
}

export interface PngNaming extends StepObjects {
  readonly symbol: string;
  /** As the flow run spells it. */
  readonly timeframe: string;
  readonly chartTemplateId: string;
}

/** `…/<YYYYMMDD-HHmmss>_<symbol>_<timeframe>_<chartTemplateId>.png`, the stamp in UTC. */
export function pngName(naming: PngNaming, generatedAt: Date): ObjectName {
  return `${stepFolder(naming)}${plainPngName(naming, generatedAt)}`;
}

/** Says by itself what the picture shows, in whatever folder. */
export function plainPngName(
  {
    symbol,
    timeframe,
    chartTemplateId,
  }: Pick<PngNaming, 'symbol' | 'timeframe' | 'chartTemplateId'>,
  generatedAt: Date,
): string {
  return `${stampOf(generatedAt)}_${symbol}_${timeframe}_${chartTemplateId}.png`;
}

/** Charts of the library, which belong to no step. */
export interface LibraryNaming {
  readonly symbol: string;
  /** In Chart-IMG's spelling. */
  readonly interval: string;
}

/**
 * `library/<symbol>/<interval>/<YYYYMMDD>/`, the day in UTC. Whoever takes over from the dead lists
 * one: a folder of all days held more objects than a listing may have.
 */
export function libraryFolder({ symbol, interval }: LibraryNaming, claimedAt: Date): string {
  return `library/${symbol}/${interval}/${stampOf(claimedAt).slice(0, 8)}/`;
}

/**
 * `<YYYYMMDD-HHmmss>_<chartTemplateId>_<suffix>.png` in its claim's folder; the suffix, 8 hex digits,
 * tells apart what is drawn within one second.
 */
export function libraryPngName(
  folder: string,
  { chartTemplateId, suffix }: { readonly chartTemplateId: string; readonly suffix: string },
  generatedAt: Date,
): ObjectName {
  return `${folder}${stampOf(generatedAt)}_${chartTemplateId}_${suffix}.png`;
}

/** The manifest that would name an object, were it a step's. */
export function manifestBeside(name: ObjectName): ObjectName {
  return `${name.slice(0, name.lastIndexOf('/') + 1)}manifest.json`;
}

function stampOf(time: Date): string {
  return time.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
}

export function gsUri(bucket: string, name: ObjectName): string {
  return `gs://${bucket}/${name}`;
}

/** The link that people open in a browser. */
export function httpsUrl(uri: string): string {
  const [bucket = '', ...name] = uri.slice('gs://'.length).split('/');
  return `https://storage.googleapis.com/${bucket}/${name.map(encodeURIComponent).join('/')}`;
}
