/** What a project holds, as far as the deployment knows it. One JSON file. */
export interface State {
  readonly project: string;
  readonly services: string[];
  readonly databases: Record<string, { locationId: string; type: string }>;
  readonly accounts: Record<string, { displayName: string }>;
  /** By resource, as `secrets chart-img-accounts`. */
  readonly bindings: Record<string, { role: string; member: string }[]>;
  readonly buckets: Record<string, Bucket>;
  /** The versions' contents, the oldest first. */
  readonly secrets: Record<string, string[]>;
  readonly functions: Record<string, Deployed>;
  readonly jobs: Record<string, Given>;
  readonly metrics: Record<string, Metric>;
  readonly alerts: Record<string, Alert>;
  /** Commands that fail with these words. */
  readonly failing: Record<string, string>;
  /** So many more grants and alerts are refused, since what they name was made just now. */
  settling: number;
}

export interface Bucket {
  location: string;
  uniform_bucket_level_access: boolean;
  public_access_prevention: 'enforced' | 'inherited';
}

/** Flags as they were given. */
export type Given = Readonly<Record<string, string | readonly string[] | true>>;

export interface Deployed {
  readonly given: Given;
  readonly labels: Readonly<Record<string, string>>;
  state: string;
  readonly source: Readonly<Record<string, string>>;
  readonly revision: number;
}

export interface Metric {
  readonly description: string;
  readonly filter: string;
  readonly metricDescriptor: { readonly labels: readonly { readonly key: string }[] };
  readonly labelExtractors: Readonly<Record<string, string>>;
}

export interface Alert {
  readonly displayName: string;
  readonly userLabels: Readonly<Record<string, string>>;
  readonly conditions: readonly {
    readonly conditionThreshold: { readonly filter: string; readonly denominatorFilter?: string };
  }[];
  notificationChannels?: readonly string[];
}

/** An error as gcloud has them: words on stderr and a code other than 0. */
export class Refused extends Error {}

/** The one of that name, which must be there. */
export function there<T>(all: Readonly<Record<string, T>>, name: string): T {
  const found = Object.hasOwn(all, name) ? all[name] : undefined;
  if (found === undefined) throw new Refused(`NOT_FOUND: ${name}`);
  return found;
}

/** A new one, whose name must be free. */
export function add<T>(all: Record<string, T>, name: string, value: T): void {
  if (Object.hasOwn(all, name)) throw new Refused(`ALREADY_EXISTS: ${name}`);
  all[name] = value;
}

/** Refuses a few times what names something that was made just now, as the real ones do. */
export function settle(state: State, words: string): void {
  if (state.settling === 0) return;
  state.settling -= 1;
  throw new Refused(words);
}
