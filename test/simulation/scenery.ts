import type { Account, JsonObject } from '../../src/contracts/documents.js';
import type { WatchedStep } from './step-end.js';

/** Everything that is there before anybody works. */
export interface Scenery {
  readonly startMs: number;
  readonly accounts: readonly (Account & { readonly dailyLimit: number })[];
  /** What Chart-IMG allows a key, where that is less than the ledger does; by account id. */
  readonly stricter?: Readonly<Record<string, number>>;
  /** Charts at the same time. */
  readonly concurrency: number;
  /** For all that one event leads to. */
  readonly timeoutMs: number;
  readonly steps: readonly WatchedStep[];
  /** By path. */
  readonly documents: Readonly<Record<string, JsonObject>>;
}

/** As the function has it. */
export const FUNCTION = { concurrency: 10, timeoutMs: 500_000 };

export const TEMPLATES = ['ctpl_a', 'ctpl_b', 'ctpl_c'] as const;

export function account(n: number, dailyLimit: number) {
  return { id: `acc-${n}`, apiKey: `not-a-real-key-${n}-0123456789`, dailyLimit };
}

/** A flow run of our steps and of others, with fields that nobody told us of. */
export function runDocument(
  steps: readonly WatchedStep[],
  dependsOn: Readonly<Record<string, readonly string[]>> = {},
): JsonObject {
  const [first] = steps;
  return {
    schemaVersion: 3,
    runId: first?.runId,
    flowKey: 'a-flow',
    status: 'RUNNING',
    scope: { symbol: first?.symbol, exchange: 'BINANCE' },
    trigger: { type: 'SCHEDULER', source: null },
    'a.field:of`others': [1, { two: null }],
    steps: {
      ohlcv: { stepType: 'OHLCV_EXPORT', status: 'RUNNING', outputs: { rows: 1_000 } },
      ...Object.fromEntries(steps.map((step) => [step.stepId, stepDocument(step, dependsOn)])),
      report: { stepType: 'LLM_REPORT', status: 'PENDING', dependsOn: ['ohlcv'] },
    },
  };
}

function stepDocument(
  { stepId, timeframe, chartTemplateIds, minImages }: WatchedStep,
  dependsOn: Readonly<Record<string, readonly string[]>>,
): JsonObject {
  return {
    stepType: 'CHART_EXPORT',
    status: 'READY',
    timeframe,
    createdAt: '2026-03-01T12:00:00Z',
    dependsOn: dependsOn[stepId] ?? [],
    inputs: {
      minImages,
      requests: chartTemplateIds.map((chartTemplateId) => ({ chartTemplateId, note: 'kept' })),
      more: { deep: [1] },
    },
    outputs: { another: 'kept' },
    'x-unknown': true,
  };
}

/** By path. */
export function templateDocuments(): Record<string, JsonObject> {
  return Object.fromEntries(
    TEMPLATES.map((id) => [
      `chart_templates/${id}`,
      {
        id,
        description: `about ${id}`,
        chartImgSymbolTemplate: 'BINANCE:{symbol}',
        request: { height: 600, theme: 'light', style: 'candle' },
      },
    ]),
  );
}
