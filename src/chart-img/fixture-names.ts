import { encodeFileName } from '../local-disk/file-names.js';
import type { ChartRequest } from './chart-request.js';

/** `<symbol with : as _>__<timeframe, spelt as in the flow run>__<chartTemplateId>`. */
export function fixtureStem(chart: ChartRequest): string {
  const { chartImgSymbol, timeframe, chartTemplateId } = chart;
  return [chartImgSymbol.replaceAll(':', '_'), timeframe, chartTemplateId]
    .map(encodeFileName)
    .join('__');
}

export function pngFixtureName(chart: ChartRequest): string {
  return `${fixtureStem(chart)}.png`;
}

/** The HTTP status that an error fixture of this chart stands for; `undefined`: not one of its files. */
export function errorFixtureStatus(chart: ChartRequest, fileName: string): number | undefined {
  const stem = `${fixtureStem(chart)}__`;
  if (!fileName.startsWith(stem)) return undefined;
  const match = /^([1-5][0-9]{2})_[A-Z0-9_]{1,40}\.json$/.exec(fileName.slice(stem.length));
  return match ? Number(match[1]) : undefined;
}
