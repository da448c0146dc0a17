import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/clock.js';
import { backOff, ServerClock, Stopwatch } from '../../src/engine/server-clock.js';

class HeldClock implements Clock {
  wall = 1_000_000;
  steady = 50;
  chance = 0.5;
  readonly slept: number[] = [];

  now = () => this.wall;
  monotonic = () => this.steady;
  random = () => this.chance;
  async sleep(ms: number): Promise<void> {
    this.slept.push(ms);
  }
}

describe('the server’s clock', () => {
  test.each([
    ['both clocks agree', 700, 700, 700],
    ['the laptop slept', 60_000, 10, 60_000],
    ['the wall clock was set back', -60_000, 700, 700],
    ['the wall clock was set forward', 60_000, 700, 60_000],
  ])('goes on where %s', (_what, wall, steady, elapsed) => {
    const clock = new HeldClock();
    const server = new ServerClock(5_000, new Stopwatch(clock));
    expect(server.nowMs()).toBe(5_000);
    clock.wall += wall;
    clock.steady += steady;
    expect(server.nowMs()).toBe(5_000 + elapsed);
  });

  test('is not this machine’s', () => {
    const clock = new HeldClock();
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (readTimeMs, wall) => {
        clock.wall = wall;
        return new ServerClock(readTimeMs, new Stopwatch(clock)).nowMs() === readTimeMs;
      }),
    );
  });
});

describe('backing off', () => {
  test('waits up to twice as long each round, and at most two seconds', async () => {
    const clock = new HeldClock();
    for (let round = 0; round < 8; round++) await backOff(clock, round);
    expect(clock.slept).toEqual([25, 50, 100, 200, 400, 800, 1_000, 1_000]);
  });

  test('may not wait at all: full jitter', async () => {
    const clock = new HeldClock();
    clock.chance = 0;
    await backOff(clock, 5);
    expect(clock.slept).toEqual([0]);
  });
});
