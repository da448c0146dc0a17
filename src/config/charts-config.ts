import { toInterval } from '../chart-img/intervals.js';
import { unknownInterval } from '../chart-img/unknown-interval.js';
import { isChartTemplateId } from '../contracts/ids.js';
import { isSnapshotId } from '../contracts/library.js';
import type { GivenFlags } from './options.js';
import { quoted, Source } from './source.js';
import { type PlaceConfig, placeConfig } from './worker-config.js';

/** Which stored charts a command is about. */
export interface ChartsConfig extends PlaceConfig {
  /** As people name it. */
  readonly symbol: string | undefined;
  readonly timeframe: string | undefined;
  readonly chartTemplateId: string | undefined;
  readonly since: Date | undefined;
  readonly limit: number;
  readonly cursor: string | undefined;
  /** A file; absolute. */
  readonly out: string | undefined;
}

/** Throws one `ConfigError` for everything that is wrong. `needed`: flags that must be there. */
export function parseChartsConfig(
  flags: GivenFlags,
  env: NodeJS.ProcessEnv,
  cwd: string,
  needed: readonly ('symbol' | 'timeframe')[] = [],
): ChartsConfig {
  const source = new Source(flags, env, cwd);
  for (const option of needed) {
    if (source.of(option).value === undefined) {
      source.problems.push(`${source.of(option).name} is required`);
    }
  }
  // Where a picture is looked for, its own address names the bucket.
  const config: ChartsConfig = {
    ...placeConfig(source, { bucket: false }),
    symbol: source.of('symbol').value?.trim(),
    timeframe: timeframeOf(source),
    chartTemplateId: templateOf(source),
    since: sinceOf(source, Date.now()),
    limit: source.option('limit', { fallback: 20, min: 1, max: 1_000, integer: true }),
    cursor: cursorOf(source),
    out: source.path('out'),
  };
  source.throwIfWrong();
  return config;
}

function timeframeOf(source: Source): string | undefined {
  const { value, name } = source.of('timeframe');
  if (value !== undefined && toInterval(value) === undefined) {
    source.problems.push(`${name}: ${unknownInterval(value)}`);
  }
  return value;
}

function templateOf(source: Source): string | undefined {
  const { value, name } = source.of('template');
  if (value !== undefined && !isChartTemplateId(value as unknown)) {
    source.problems.push(`${name}: ${quoted(value)} is not a chart template id`);
  }
  return value;
}

function cursorOf(source: Source): string | undefined {
  const { value, name } = source.of('cursor');
  if (value !== undefined && !isSnapshotId(value as unknown)) {
    source.problems.push(`${name}: ${quoted(value)} is none that a page before named`);
  }
  return value;
}

const UNITS_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A day, a time with its zone, or how long ago. */
function sinceOf(source: Source, nowMs: number): Date | undefined {
  const { value, name } = source.of('since');
  if (value === undefined) return undefined;
  const [, count, unit = ''] = /^([0-9]{1,6})([mhd])$/.exec(value) ?? [];
  const isTime = /^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2}))?$/.test(value);
  const time =
    count === undefined
      ? Date.parse(isTime ? value : '')
      : nowMs - Number(count) * (UNITS_MS[unit] ?? 0);
  if (time >= 0) return new Date(time);
  source.problems.push(
    `${name}: ${quoted(value)} is no time: write 2026-01-31, 2026-01-31T12:00:00Z, or 90m, 12h, 7d`,
  );
  return undefined;
}
