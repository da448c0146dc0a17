import type { Clock } from '../../src/clock.js';

/** What is to happen at its time, unless it was called off. */
interface Event {
  atMs: number;
  order: number;
  readonly happen: () => void;
  readonly to: Process | undefined;
  off: boolean;
}

/** A worker's process, whose own life decides what still reaches it. */
export class Process {
  readonly name: string;
  /** Its wall clock is wrong by so much. */
  offsetMs = 0;
  /** Stopped until then: what comes meanwhile comes at that moment. */
  wakesAtMs = 0;
  /** Its monotonic clock stood still for so long. */
  sleptMs = 0;
  #isDead = false;
  readonly #mourners: (() => void)[] = [];

  constructor(name: string) {
    this.name = name;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** From now on nothing reaches it, and nothing leaves it. */
  die(): void {
    if (this.#isDead) return;
    this.#isDead = true;
    for (const mourn of this.#mourners) mourn();
  }

  onDeath(mourn: () => void): void {
    this.#mourners.push(mourn);
  }
}

/**
 * The world's time, which is the servers' own. It goes on only when all that could be done at one
 * moment is done: no real time takes part, so that a run can be repeated to the letter.
 */
export class VirtualTime {
  nowMs: number;
  readonly #startMs: number;
  readonly #events: Event[] = [];
  #orders = 0;

  constructor(startMs: number) {
    this.nowMs = startMs;
    this.#startMs = startMs;
  }

  /** `to`: whose process it reaches; it is lost on the dead, and late for the stopped. */
  in(ms: number, happen: () => void, to?: Process): { off: boolean } {
    const atMs = this.nowMs + Math.max(0, ms);
    const event: Event = { atMs, order: this.#orders++, happen, to, off: false };
    this.#push(event);
    return event;
  }

  async pass(ms: number): Promise<void> {
    await this.until(new Promise<void>((resolve) => this.in(ms, resolve)));
  }

  /** Lets things happen until this one has. */
  async until<T>(awaited: Promise<T>): Promise<T> {
    let isOver = false;
    awaited.then(
      () => {
        isOver = true;
      },
      () => {
        isOver = true;
      },
    );
    await allIsDone();
    while (!isOver) {
      const event = this.#pop();
      if (!event) throw new Error('the world stands still: something waits for real time');
      if (event.off || event.to?.isDead) continue;
      if (event.to && event.to.wakesAtMs > event.atMs) {
        event.atMs = event.to.wakesAtMs;
        event.order = this.#orders++;
        this.#push(event);
        continue;
      }
      this.nowMs = Math.max(this.nowMs, event.atMs);
      event.happen();
      await allIsDone();
    }
    return awaited;
  }

  clockOf(process: Process, random: () => number): Clock {
    const bornMs = this.nowMs;
    return {
      now: () => Math.floor(this.nowMs + process.offsetMs),
      monotonic: () => this.nowMs - bornMs - process.sleptMs + 1_000,
      sleep: (ms, signal) => this.#sleep(ms, process, signal),
      random,
    };
  }

  /** For the trace: time since the beginning. */
  get stamp(): string {
    return `${((this.nowMs - this.#startMs) / 1_000).toFixed(3)} s`;
  }

  #sleep(ms: number, process: Process, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        signal?.removeEventListener('abort', end);
        resolve();
      };
      // As Node's timers: less than a millisecond would not even move a number of this size.
      const event = this.in(Math.max(1, ms), wake, process);
      const end = () => {
        event.off = true;
        resolve();
      };
      signal?.addEventListener('abort', end, { once: true });
    });
  }

  /** A binary heap: the earliest first, of two at one moment whoever was there first. */
  #push(event: Event): void {
    const heap = this.#events;
    let at = heap.push(event) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!comesBefore(event, heap[parent] as Event)) break;
      heap[at] = heap[parent] as Event;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): Event | undefined {
    const heap = this.#events;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= heap.length) break;
      const right = left + 1;
      const isRight = right < heap.length && comesBefore(heap[right] as Event, heap[left] as Event);
      const child = isRight ? right : left;
      if (!comesBefore(heap[child] as Event, last)) break;
      heap[at] = heap[child] as Event;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function comesBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** Node comes to its next ticks when no promise has anything left to do. */
function allIsDone(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
