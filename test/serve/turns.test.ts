import { expect, test } from 'vitest';
import { Turns } from '../../src/serve/turns.js';

/** Work that ends when it is told to. */
function held() {
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { work: () => ended, end };
}

test('so many at once, in their order; what fails makes room too', async () => {
  const turns = new Turns({ atOnce: 2, waiting: 10, waitMs: 60_000 });
  const log: string[] = [];
  const [a, b, c, d] = [held(), held(), held(), held()];
  const all = [a, b, c, d].map(({ work }, index) =>
    turns
      .run(async () => {
        log.push(`begin ${index}`);
        await work();
        log.push(`end ${index}`);
        if (index === 1) throw new Error('broken');
      })
      .catch((error: Error) => error.message),
  );
  expect(log).toEqual(['begin 0', 'begin 1']);
  b.end();
  expect(await all[1]).toBe('broken');
  expect(log).toEqual(['begin 0', 'begin 1', 'end 1', 'begin 2']);
  let isIdle = false;
  const idle = turns.idle().then(() => {
    isIdle = true;
  });
  c.end();
  await all[2];
  d.end();
  await all[3];
  expect(isIdle).toBe(false);
  a.end();
  await Promise.all([...all, idle]);
  expect(log.slice(4)).toEqual(['end 2', 'begin 3', 'end 3', 'end 0']);
  await turns.idle();
});

test('who would be too many, or waits too long, is sent away', async () => {
  const turns = new Turns({ atOnce: 1, waiting: 1, waitMs: 20 });
  const { work, end } = held();
  const first = turns.run(work);
  const second = turns.run(() => Promise.resolve());
  const third = turns.run(() => Promise.resolve());
  const overloaded = { code: 'OVERLOADED', status: 503, more: { retryAfterSeconds: 1 } };
  await expect(third).rejects.toMatchObject(overloaded);
  await expect(second).rejects.toMatchObject(overloaded);
  end();
  await first;
  // Who gave up does not keep a turn.
  expect(await turns.run(() => Promise.resolve('done'))).toBe('done');
});

test('what is cut hears of it, and who waits has no turn', async () => {
  const turns = new Turns({ atOnce: 1, waiting: 1, waitMs: 60_000 });
  const cut = new Error('cut');
  const working = turns.run(
    (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
  );
  let hadTurn = false;
  const waiting = turns.run(async () => {
    hadTurn = true;
  });
  turns.cut(cut);
  const ends = await Promise.allSettled([working, waiting]);
  expect(ends.map((end) => end.status === 'rejected' && end.reason)).toEqual([cut, cut]);
  expect(hadTurn).toBe(false);
  await turns.idle();
});
