import { ConfigError, reasonOf, StoreUnavailable } from '../failures.js';
import type { Generated, LibraryErrorCode } from './library.js';
import type { OrderedChart, Refused } from './plan-order.js';

/**
 * Makes what was planned, `lanes` charts at a time; the results in the order of the plan. Where a
 * store fails, no chart is begun any more, and what is there already is told of all the same. Rejects
 * if there is no chart to tell of, or with what is no store's failure.
 */
export async function makeAll(
  planned: readonly (OrderedChart | Refused)[],
  lanes: number,
  make: (ordered: OrderedChart) => Promise<Generated>,
): Promise<Generated[]> {
  const results: Generated[] = [];
  const waiting = planned.entries();
  let broken: { readonly error: unknown } | undefined;
  const lane = async () => {
    for (const [index, one] of waiting) {
      if ('kind' in one) {
        results[index] = one;
      } else if (broken) {
        results[index] = leftOut(one, broken.error, 'not begun: ');
      } else {
        try {
          results[index] = await make(one);
        } catch (error) {
          broken ??= { error };
          results[index] = leftOut(one, error);
        }
      }
    }
  };
  const ends = await Promise.allSettled(
    Array.from({ length: Math.min(lanes, planned.length) }, lane),
  );
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  if (broken && !results.some(({ kind }) => kind === 'chart')) throw broken.error;
  return results;
}

/** Throws what is no store's failure. */
function leftOut({ symbol, timeframe }: OrderedChart, failure: unknown, how = ''): Refused {
  const code = codeOf(failure);
  if (code === undefined) throw failure;
  const error = { code, message: `${symbol} ${timeframe}: ${how}${reasonOf(failure)}` };
  return { kind: 'refused', symbol, timeframe, error };
}

function codeOf(failure: unknown): LibraryErrorCode | undefined {
  if (failure instanceof StoreUnavailable) return 'INFRASTRUCTURE_ERROR';
  return failure instanceof ConfigError ? 'CONFIG_ERROR' : undefined;
}
