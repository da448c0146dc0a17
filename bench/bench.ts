import type { Row } from './row.js';
import type { AtEnd } from './servers.js';

/** What a group measures with. */
export interface Bench {
  readonly rounds: number;
  /** An empty folder on a disk. */
  readonly root: string;
  /** Undone when the group is over, last first. */
  readonly atEnd: AtEnd;
}

/** Claims that are measured together. */
export type Group = (bench: Bench) => Promise<Row[]>;
