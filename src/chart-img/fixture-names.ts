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

/** `…__422_INVALID_SYMBOL.json`: the status, and the provider's words as far as a name can hold them. */
export function errorFixtureName(chart: ChartRequest, status: number, message: string): string {
  const reason = message
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]+/g, '_')
    .replaceAll(/^_|_$/g, '');
  return `${fixtureStem(chart)}__${status}_${reason.slice(0, 40) || 'ERROR'}.json`;
}

/** The HTTP status that an error fixture of this chart stands for; `undefined`: not one of its files. */
export function errorFixtureStatus(chart: ChartRequest, fileName: string): number | undefined {
  const stem = `${fixtureStem(chart)}__`;
  if (!fileName.startsWith(stem)) return undefined;
  const match = /^([1-5][0-9]{2})_[A-Z0-9_]{1,40}\.json$/.exec(fileName.slice(stem.length));
  return match ? Number(match[1]) : undefined;
}
