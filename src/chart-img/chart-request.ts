import { createHash } from 'node:crypto';
import type { ChartTemplate, JsonObject } from '../contracts/documents.js';

/** One chart as it is asked of Chart-IMG; holds no key and no account. */
export interface ChartRequest {
  readonly chartTemplateId: string;
  /** With its exchange: `BINANCE:BTCUSDT`. */
  readonly chartImgSymbol: string;
  /** Chart-IMG's spelling. */
  readonly interval: string;
  /** The flow run's spelling. */
  readonly timeframe: string;
  /** The whole body of the call. */
  readonly body: JsonObject;
  /** Of `body`: equal requests make equal charts. */
  readonly requestHash: string;
}

export interface LiveFields {
  readonly symbol: string;
  readonly timeframe: string;
  readonly interval: string;
  /** IANA name. */
  readonly timezone: string;
}

/** The template's request with the fields that the worker always sets itself, last. */
export function toChartRequest(template: ChartTemplate, live: LiveFields): ChartRequest {
  const chartImgSymbol = template.chartImgSymbolTemplate.split('{symbol}').join(live.symbol);
  const body = {
    ...template.request,
    symbol: chartImgSymbol,
    interval: live.interval,
    timezone: live.timezone,
    format: 'png',
  };
  return {
    chartTemplateId: template.id,
    chartImgSymbol,
    interval: live.interval,
    timeframe: live.timeframe,
    body,
    requestHash: createHash('sha256').update(canonicalJson(body)).digest('hex'),
  };
}

/** Keys in order at every depth: Firestore does not keep the order of a map's keys. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, child: unknown) =>
    typeof child === 'object' && child !== null && !Array.isArray(child)
      ? Object.fromEntries(Object.entries(child).sort(([a], [b]) => (a < b ? -1 : 1)))
      : child,
  );
}
