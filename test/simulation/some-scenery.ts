import type { JsonObject } from '../../src/contracts/documents.js';
import { paths } from '../../src/documents/paths.js';
import type { Dice } from './dice.js';
import {
  account,
  FUNCTION,
  runDocument,
  type Scenery,
  TEMPLATES,
  templateDocuments,
} from './scenery.js';
import type { WatchedStep } from './step-end.js';

const MIDNIGHT = Date.parse('2026-03-02T00:00:00Z');

/** Some flow runs, and what the ledger says already. */
export function someScenery(dice: Dice): Scenery {
  const startMs = MIDNIGHT - dice.oneOf(10, 600, 3_600, 10_000, 43_200) * 1_000 * dice.random();
  const steps: WatchedStep[] = [];
  const documents: Record<string, JsonObject> = { ...templateDocuments() };
  if (dice.chance(0.1)) delete documents[paths.template(dice.among(TEMPLATES))];
  for (const symbol of ['BTCUSDT', 'ETHUSDT'].slice(0, dice.whole(1, 2))) {
    const runId = `20260301-120000_${symbol}_sim`;
    const own = ['1h', '4h'].slice(0, dice.whole(1, 2)).map((timeframe): WatchedStep => {
      const chartTemplateIds = TEMPLATES.slice(0, dice.whole(1, 3));
      const minImages = dice.whole(0, chartTemplateIds.length);
      const stepId = `charts:${symbol}:${timeframe}`;
      return { runId, stepId, symbol, timeframe, chartTemplateIds, minImages };
    });
    const waits = dice.chance(0.2) ? { [(own[0] as WatchedStep).stepId]: ['ohlcv'] } : {};
    steps.push(...own);
    documents[paths.flowRun(runId)] = runDocument(own, waits);
  }
  const accounts = [1, 2].map((n) => ({
    ...account(n, dice.whole(1, 8)),
    ...dice.oneOf({}, { burst: 1 }, { plan: 'PRO' as const }),
  }));
  for (const { id, dailyLimit } of accounts) {
    if (dice.chance(0.4)) continue;
    const day = dice.oneOf('2026-02-27', '2026-03-01');
    documents[paths.usage(id)] = {
      usageToday: dice.whole(0, dailyLimit),
      windowStart: `${day}T00:00:00Z`,
      owner: 'somebody',
      more: { deep: [1] },
    };
  }
  const [first] = accounts;
  const stricter = dice.chance(0.1) && first && { stricter: { [first.id]: dice.whole(0, 3) } };
  const concurrency = dice.oneOf(1, 2, FUNCTION.concurrency);
  const timeoutMs = dice.oneOf(100_000, FUNCTION.timeoutMs, FUNCTION.timeoutMs);
  return { startMs, accounts, concurrency, timeoutMs, steps, documents, ...stricter };
}
