import type { Process } from './virtual-time.js';

/**
 * What can go wrong with one call:
 * - `fails`: it is never applied, and its sender hears so, or at least no yes;
 * - `reply-lost`: it is applied, and its sender hears no, or nothing;
 * - `hangs`: its sender hears nothing until its deadline; applied never, at once, or afterwards;
 * - `dies-before`, `dies-after`: its sender dies before it is sent, or once it is applied.
 */
export const FAULTS = ['fails', 'reply-lost', 'hangs', 'dies-before', 'dies-after'] as const;
export type Fault = (typeof FAULTS)[number];

export type Method =
  | 'read'
  | 'commit'
  | 'list documents'
  | 'probe'
  | 'put'
  | 'look'
  | 'get'
  | 'list'
  | 'delete'
  | 'render';

export interface Mood {
  readonly status: 200 | 422 | 429 | 500;
  readonly retryAfterMs?: number;
}

/** What the world does to those who work in it. */
export interface Weather {
  /** What befalls the world's n-th call, from 1. */
  faultAt(n: number, method: Method): Fault | undefined;
  /** A call is made; what else happens at that time is not its caller's doing. */
  called?(by: Process): void;
  /** How long a request is on its way; milliseconds. */
  wayMs(method: Method): number;
  /** How long its answer takes; milliseconds. */
  answerMs(method: Method): number;
  /** When a request that hangs arrives after all, beyond its sender's deadline; `undefined`: never. */
  lateMs(): number | undefined;
  /** One of several things that the same fault may look like. */
  pick<T>(likely: T, ...others: readonly T[]): T;
  /** What the provider has to say to a call it could serve; 200: the chart. */
  mood(): Mood;
}
