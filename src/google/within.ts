import { NoAnswer } from './api-errors.js';

/**
 * Ends the work by its signal, and races it, because signing in listens to none. What was ended may
 * still be applied, which is why each write carries a precondition. Rejects with `NoAnswer`.
 */
export async function within<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const ending = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const bound = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new NoAnswer(`no answer within ${ms / 1_000} s`));
      ending.abort();
    }, ms);
  });
  try {
    return await Promise.race([work(ending.signal), bound]);
  } finally {
    clearTimeout(timer);
  }
}
