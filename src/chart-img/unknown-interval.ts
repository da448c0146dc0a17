import { nearestInterval, supportedIntervals } from './intervals.js';

/** In words, why a timeframe is none, with the one that was likely meant. */
export function unknownInterval(timeframe: string): string {
  const near = nearestInterval(timeframe);
  const hint =
    near === undefined ? `known are ${supportedIntervals().join(' ')}` : `did you mean ${near}?`;
  return `${JSON.stringify(timeframe.slice(0, 40))} is not an interval of Chart-IMG; ${hint}`;
}
