import { type ChartRequest, toChartRequest } from '../../../src/chart-img/chart-request.js';
import type { JsonObject } from '../../../src/contracts/documents.js';

/** Looks like no other text; `/` and `+` are what encodings change. */
export const KEY = 'canary/Key+0123456789abcdefghijklmnop';

/** A chart that any plan can draw. */
export function sampleChart(request: JsonObject = {}): ChartRequest {
  const template = {
    id: 'ctpl_a',
    description: 'about a',
    chartImgSymbolTemplate: 'BINANCE:{symbol}',
    request: { width: 640, height: 480, studies: [{ name: 'Volume' }], ...request },
  };
  const live = { symbol: 'BTCUSDT', timeframe: '1H', interval: '1h', timezone: 'Etc/UTC' };
  return toChartRequest(template, live);
}
