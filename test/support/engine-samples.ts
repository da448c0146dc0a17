import type { ChartRequest } from '../../src/chart-img/chart-request.js';
import type { JsonObject } from '../../src/contracts/documents.js';
import type { StoredDocument } from '../../src/documents/document-store.js';
import type { StepRequest } from '../../src/engine/deps.js';
import type { Run } from '../../src/engine/flow-run.js';
import type { RenderableChart } from '../../src/engine/plan.js';
import { type LogEvent, Logger } from '../../src/log/logger.js';

export const RUN_ID = '20251221-120000_BTCUSDT_demo';

export function step(fields: JsonObject = {}): JsonObject {
  return {
    stepType: 'CHART_EXPORT',
    status: 'READY',
    timeframe: '1h',
    inputs: { requests: [{ chartTemplateId: 'ctpl_a' }] },
    ...fields,
  };
}

export function runOf(steps: JsonObject, fields: JsonObject = {}): Run {
  const data = { runId: RUN_ID, status: 'RUNNING', scope: { symbol: 'BTCUSDT' }, steps, ...fields };
  return { runId: RUN_ID, data, steps };
}

export function stepRequest(fields: Partial<StepRequest> = {}): StepRequest {
  return {
    runId: RUN_ID,
    stepId: undefined,
    asGiven: undefined,
    replay: false,
    ignoreDependencies: false,
    tolerateAbsentDependencies: false,
    dryRun: false,
    ...fields,
  };
}

export const LEASE_TTL_MS = 90_000;

/** A lease as it was written at 0 by the store's clock. */
export function leaseDocument(fields: JsonObject = {}): StoredDocument {
  const data = {
    schemaVersion: 1,
    token: 'token',
    claimId: 'claim',
    attempt: 1,
    state: 'ACTIVE',
    ttlMs: LEASE_TTL_MS,
    heartbeat: 1,
    writeId: 'write',
    claimedAt: '2025-12-21T12:00:00.000Z',
    owner: { host: 'host-1', pid: 42, started: '7' },
    reserved: {},
    ...fields,
  };
  return { data, version: 'v1', updateTimeMs: 0 };
}

function chartRequest(chartTemplateId: string): ChartRequest {
  return {
    chartTemplateId,
    chartImgSymbol: 'BINANCE:BTCUSDT',
    interval: '1h',
    timeframe: '1h',
    body: {},
    requestHash: '0'.repeat(64),
  };
}

export function renderable(
  chartTemplateId: string,
  fields: Partial<RenderableChart> = {},
): RenderableChart {
  return {
    kind: 'render',
    chartTemplateId,
    template: {
      id: chartTemplateId,
      description: `about ${chartTemplateId}`,
      chartImgSymbolTemplate: 'BINANCE:{symbol}',
      request: {},
    },
    request: chartRequest(chartTemplateId),
    needs: { width: 800, height: 600, parameters: 0 },
    foresight: { kind: 'call', source: 'chart-img' },
    ...fields,
  };
}

/** A logger, and what it was told. */
export function recordingLogger(): { readonly logger: Logger; readonly events: LogEvent[] } {
  const events: LogEvent[] = [];
  return { logger: new Logger((event) => events.push(event)), events };
}
