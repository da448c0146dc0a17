import type { ObjectName } from './artifact-store.js';

/** The one place that names objects. Ids were checked against their allow-lists before. */
export function stepFolder(runId: string, stepId: string): string {
  return `charts/${runId}/${stepId}/`;
}

export function manifestName(runId: string, stepId: string): ObjectName {
  return `${stepFolder(runId, stepId)}manifest.json`;
}

/** Where a replay keeps the manifest it is about to replace. */
export function keptManifestName(runId: string, stepId: string, createdAt: string): ObjectName {
  return `${stepFolder(runId, stepId)}manifest.${createdAt}.json`;
}

export interface PngNaming {
  readonly runId: string;
  readonly stepId: string;
  readonly symbol: string;
  /** As the flow run spells it. */
  readonly timeframe: string;
  readonly chartTemplateId: string;
}

/** `…/<YYYYMMDD-HHmmss>_<symbol>_<timeframe>_<chartTemplateId>.png`, the stamp in UTC. */
export function pngName(naming: PngNaming, generatedAt: Date): ObjectName {
  const { runId, stepId, symbol, timeframe, chartTemplateId } = naming;
  const stamp = generatedAt.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  return `${stepFolder(runId, stepId)}${stamp}_${symbol}_${timeframe}_${chartTemplateId}.png`;
}

export function gsUri(bucket: string, name: ObjectName): string {
  return `gs://${bucket}/${name}`;
}

/** The link that people open in a browser. */
export function httpsUrl(uri: string): string {
  const [bucket = '', ...name] = uri.slice('gs://'.length).split('/');
  return `https://storage.googleapis.com/${bucket}/${name.map(encodeURIComponent).join('/')}`;
}
