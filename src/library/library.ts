import type { JsonObject } from '../contracts/documents.js';
import type { ErrorCode } from '../engine/outcome.js';
import type { Snapshot } from './snapshots/snapshot.js';
import type { Snapshots } from './snapshots/snapshots.js';
import type { ChartSymbols } from './symbols/chart-symbols.js';
import type { UsageView } from './usage-view.js';

/** What a chart is made for. */
export type TriggerType = Snapshot['triggerType'];

/** Charts on demand: every symbol in every timeframe. */
export interface ChartOrder {
  /** Ids, aliases or names of `chart_symbols`; with a template any symbol of the template's exchange. */
  readonly symbols: readonly string[];
  /** `1h`, `4h`, `1D`: in any spelling of Chart-IMG's intervals. */
  readonly timeframes: readonly string[];
  /** Instead of indicators. */
  readonly chartTemplateId?: string;
  /** By their short names; absent, with no template: the symbol's own, else its asset class's. */
  readonly indicators?: readonly string[];
  /** Absent: the template's; light, where there is none. */
  readonly theme?: 'light' | 'dark';
  /** Pixels; absent: the template's; 1920×1200, where there is none. Cut to what a plan draws. */
  readonly width?: number;
  readonly height?: number;
  /** Absent: `manual`. */
  readonly trigger?: TriggerType;
  /** Who asks, in the caller's own words. */
  readonly generatedBy?: string;
  /** What is in the cache will not do. */
  readonly refresh?: boolean;
}

/** Stable. */
export type LibraryErrorCode =
  | ErrorCode
  /** Nobody knows the symbol. */
  | 'SYMBOL_NOT_FOUND'
  /** Its document says so. */
  | 'SYMBOL_DISABLED'
  /** It is no interval, or not one that the symbol is drawn in. */
  | 'TIMEFRAME_INVALID'
  /** Nothing is left today for work on demand; `details.resetsAt`, RFC 3339, says until when. */
  | 'RATE_LIMITED'
  /** The store, the disk or a lock failed when other charts of the order were there already. */
  | 'INFRASTRUCTURE_ERROR'
  /** Likewise, for what its operator has to mend: a permission, a damaged document. */
  | 'CONFIG_ERROR';

export interface LibraryError {
  readonly code: LibraryErrorCode;
  /** One sentence for people. */
  readonly message: string;
  readonly details?: JsonObject;
}

/** What became of one symbol in one timeframe. */
export type Generated =
  | {
      readonly kind: 'chart';
      readonly snapshot: Snapshot;
      /** `cache`: it was rendered before, at the snapshot's `generatedAt`. */
      readonly source: 'chart-img' | 'fixture' | 'cache';
      /** What was cut to fit a plan, one sentence each. */
      readonly notices: readonly string[];
    }
  | {
      readonly kind: 'refused';
      readonly symbol: string;
      readonly timeframe: string;
      readonly error: LibraryError;
    };

/** The chart library, open on one backend. Every method rejects with `StoreUnavailable` or `ConfigError`. */
export interface Library {
  /**
   * Symbols × timeframes, in that order; never rejects for what is wrong with one chart, nor for a
   * store that fails once there is a chart to tell of. Rejects with the signal's reason once that
   * aborts: charts that are stored by then stay.
   */
  generate(order: ChartOrder, signal?: AbortSignal): Promise<readonly Generated[]>;
  /** Every chart that was stored. */
  readonly snapshots: Snapshots;
  readonly symbols: ChartSymbols;
  /** What is left of each account today, and what is asked for most. */
  usage(): Promise<UsageView>;
  /** Orders under way reject; what they reserved and did not spend is given back. */
  close(): Promise<void>;
}
