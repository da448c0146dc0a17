import type { ChartRequest } from './chart-request.js';

/** Who drew a chart; goes into the manifest and into what makes a stored chart usable again. */
export type ChartSource = 'chart-img' | 'fixture';

/**
 * What is known of a chart before it is asked for:
 * - `call`: it takes a call, which costs quota where there are accounts;
 * - `replay`: a recording answers it, at no cost;
 * - `missing`: nothing can answer it; `fixtureKey` is the file that was looked for.
 */
export type Foresight =
  | { readonly kind: 'call'; readonly source: ChartSource }
  | { readonly kind: 'replay'; readonly source: ChartSource; readonly fixtureKey: string }
  | { readonly kind: 'missing'; readonly fixtureKey: string };

/** What came back, unjudged. `no-answer`: none came, or it broke off. */
export type ProviderAnswer =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly body: Buffer;
      readonly retryAfterMs?: number;
      /** The recording it came from, if it did. */
      readonly fixtureKey?: string;
    }
  | {
      readonly kind: 'no-answer';
      readonly reason: 'timeout' | 'network';
      readonly message: string;
      /** Surely nothing reached the service: the call cost nothing. */
      readonly unsent?: true;
    };

export interface ProviderCall {
  readonly chart: ChartRequest;
  readonly apiKey?: string;
  /** Rejects the call with its reason. */
  readonly signal: AbortSignal;
}

/** The chart service: one call, one answer; no retry, no accounts, no judgement in here. */
export interface ChartProvider {
  /** Reads at most a folder; never calls anybody. */
  foresee(charts: readonly ChartRequest[]): Promise<ReadonlyMap<ChartRequest, Foresight>>;
  /** Rejects only when `signal` aborts, or with `ConfigError` when a recording cannot be read. */
  render(call: ProviderCall): Promise<ProviderAnswer>;
}
