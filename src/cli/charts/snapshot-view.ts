import { httpsUrl } from '../../artifacts/object-names.js';
import { kilobytes } from '../../kilobytes.js';
import type { Snapshot } from '../../library/snapshots/snapshot.js';

/** A chart for people: one fact a line. `place`: where its picture lies on this machine. */
export function snapshotLines(snapshot: Snapshot, place: string | undefined): string[] {
  const { state, uri, triggerType, generatedBy, runId, stepId, metadata = {} } = snapshot;
  const isGone = state === 'expired';
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['chart', snapshot.id],
    ['shows', `${snapshot.chartImgSymbol}, ${snapshot.timeframe}, ${snapshot.chartTemplateId}`],
    ['made', `${snapshot.generatedAt}, ${madeBy(snapshot)}`],
    ['for', [triggerType, generatedBy].filter((word) => word !== undefined).join(', by ')],
    ['run', runId],
    ['step', stepId],
    ['expires', isGone ? undefined : snapshot.expiresAt],
    ['picture', isGone ? `deleted; it expired at ${snapshot.expiresAt}` : uri],
    ['', isGone ? undefined : (place ?? httpsUrl(uri))],
    ['size', `${snapshot.width}×${snapshot.height}, ${kilobytes(snapshot.bytes)}`],
    ['sha256', snapshot.sha256],
    ...Object.entries(metadata).map(
      ([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)] as const,
    ),
  ];
  return facts.flatMap(([name, fact]) => (fact === undefined ? [] : [`${name.padEnd(8)} ${fact}`]));
}

function madeBy({ source }: Snapshot): string {
  switch (source) {
    case 'chart-img':
      return 'by Chart-IMG';
    case 'fixture':
      return 'from a fixture';
    case 'cache':
      return 'a copy of one that was made before';
  }
}
