import { seeded } from '../support/seeded.js';

/** Numbers and choices, the same for the same seed. */
export class Dice {
  readonly random: () => number;

  constructor(seed: number) {
    this.random = seeded(seed);
  }

  chance(likelihood: number): boolean {
    return this.random() < likelihood;
  }

  between(least: number, most: number): number {
    return least + this.random() * (most - least);
  }

  whole(least: number, most: number): number {
    return Math.floor(this.between(least, most + 1));
  }

  oneOf<const T>(...all: readonly [T, ...T[]]): T {
    return this.among(all);
  }

  /** Of a list that is not empty. */
  among<T>(all: readonly T[]): T {
    return all[this.whole(0, all.length - 1)] as T;
  }
}
