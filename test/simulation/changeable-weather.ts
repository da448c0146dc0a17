import type { Dice } from './dice.js';
import type { Process } from './virtual-time.js';
import { FAULTS, type Fault, type Method, type Mood, type Weather } from './weather.js';

const MINUTE_MS = 60_000;

/** Bad, or less so, until it clears up for good. */
export class ChangeableWeather implements Weather {
  readonly #dice: Dice;
  readonly #faults: number;
  readonly #isSlow: boolean;
  readonly #moods: number;
  readonly #drawsForMs: number;
  /** What befalls those who work, at any call of theirs. */
  readonly #troubles: number;
  trouble: (of: Process) => void = () => undefined;
  isOver = false;

  get isCalm(): boolean {
    return this.#faults === 0 && this.#troubles === 0;
  }

  constructor(dice: Dice) {
    this.#dice = dice;
    this.#faults = dice.oneOf(0, 0.02, 0.06, 0.15);
    this.#troubles = dice.oneOf(0, 0.03, 0.1);
    this.#drawsForMs = dice.oneOf(1_000, 4_000, 34_000);
    this.#isSlow = dice.chance(0.2);
    this.#moods = dice.oneOf(0, 0.05, 0.3);
  }

  faultAt(): Fault | undefined {
    if (this.isOver || !this.#dice.chance(this.#faults)) return undefined;
    return this.#dice.among(FAULTS);
  }

  called(by: Process): void {
    if (!this.isOver && this.#dice.chance(this.#troubles)) this.trouble(by);
  }

  /** No request is on its way for longer than the time around midnight that is kept clear. */
  wayMs(): number {
    if (this.isOver) return 20;
    const isSlow = this.#isSlow || this.#dice.chance(0.05);
    return this.#dice.between(1, isSlow ? 1_900 : 50);
  }

  answerMs(method: Method): number {
    const isDrawn = method === 'render' && !this.isOver;
    return isDrawn ? this.#dice.between(100, this.#drawsForMs) : this.wayMs();
  }

  lateMs(): number | undefined {
    return this.#dice.chance(0.5) ? this.#dice.between(1, MINUTE_MS) : undefined;
  }

  pick<T>(...heard: readonly [T, ...T[]]): T {
    return this.#dice.among(heard);
  }

  mood(): Mood {
    const dice = this.#dice;
    if (this.isOver || !dice.chance(this.#moods)) return { status: 200 };
    const status = dice.oneOf(422, 429, 500, 500);
    return { status, ...(dice.chance(0.2) && { retryAfterMs: dice.between(0, 150_000) }) };
  }
}
