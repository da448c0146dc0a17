import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Ending } from '../../src/cloud-event/ending.js';

/** Cloud Run's patience. */
const KILLED_AFTER_MS = 10_000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function withResolvers<T>() {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** What happens to an ending, in order. */
function diaryOf(ending: Ending): string[] {
  const diary: string[] = [];
  ending.windDown.addEventListener('abort', () => diary.push('windDown'));
  ending.signal.addEventListener('abort', () => diary.push('cut'));
  return diary;
}

test('with nothing under way the end comes at once, and nothing is cut', async () => {
  const ending = new Ending();
  const diary = diaryOf(ending);
  await ending.come();
  expect(diary).toEqual(['windDown']);
  expect(vi.getTimerCount()).toBe(0);
});

test('what finishes by itself is waited for, and not cut', async () => {
  const ending = new Ending();
  const diary = diaryOf(ending);
  const work = withResolvers<string>();
  const held = ending.with(work.promise);
  const come = ending.come().then(() => diary.push('gone'));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(diary).toEqual(['windDown']);
  work.resolve('done');
  await come;
  expect(await held).toBe('done');
  expect(diary).toEqual(['windDown', 'gone']);
  expect(vi.getTimerCount()).toBe(0);
});

test('work that fails ends, too, and tells whoever asked', async () => {
  const ending = new Ending();
  const held = ending.with(Promise.reject(new Error('no')));
  const come = ending.come();
  await expect(held).rejects.toThrow('no');
  await come;
});

test('work that begins while the end comes is waited for', async () => {
  const ending = new Ending();
  const diary = diaryOf(ending);
  const [first, second] = [withResolvers<void>(), withResolvers<void>()];
  const held = [ending.with(first.promise)];
  const come = ending.come().then(() => diary.push('gone'));
  held.push(ending.with(second.promise));
  first.resolve();
  await vi.advanceTimersByTimeAsync(10);
  expect(diary).toEqual(['windDown']);
  second.resolve();
  await Promise.all([come, ...held]);
  expect(diary).toEqual(['windDown', 'gone']);
});

test('first nothing is begun, then what is under way is cut, then the end comes all the same', async () => {
  const ending = new Ending();
  const diary = diaryOf(ending);
  void ending.with(new Promise(() => undefined));
  let cutAfterMs = Number.NaN;
  let goneAfterMs = Number.NaN;
  const since = Date.now();
  ending.signal.addEventListener('abort', () => {
    cutAfterMs = Date.now() - since;
  });
  void ending.come().then(() => {
    goneAfterMs = Date.now() - since;
    diary.push('gone');
  });
  expect(diary).toEqual(['windDown']);
  await vi.advanceTimersByTimeAsync(KILLED_AFTER_MS);
  expect(diary).toEqual(['windDown', 'cut', 'gone']);
  // A call under way may finish; what was cut has time to be given back; and all before SIGKILL.
  expect(cutAfterMs).toBeGreaterThanOrEqual(5_000);
  expect(goneAfterMs - cutAfterMs).toBeGreaterThanOrEqual(2_500);
  expect(goneAfterMs).toBeLessThan(9_000);
});

test('what ends once it is cut brings the end with it', async () => {
  const ending = new Ending();
  const diary = diaryOf(ending);
  const held = ending.with(
    new Promise<void>((resolve) => {
      ending.signal.addEventListener('abort', () => setTimeout(resolve, 100));
    }),
  );
  const come = ending.come().then(() => diary.push('gone'));
  await vi.advanceTimersToNextTimerAsync();
  expect(diary).toEqual(['windDown', 'cut']);
  await vi.advanceTimersByTimeAsync(100);
  await Promise.all([come, held]);
  expect(diary).toEqual(['windDown', 'cut', 'gone']);
});
