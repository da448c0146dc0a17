import { resolve } from 'node:path';
import { ConfigError } from '../failures.js';
import { type GivenFlags, type OptionName, optionRow } from './options.js';

/** What a number may be. */
interface Bounds {
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
  readonly integer?: boolean;
}

const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Where each value comes from; an empty variable, or flag, is an absent one. */
export class Source {
  readonly env: NodeJS.ProcessEnv;
  /** Relative paths start here. */
  readonly cwd: string;
  /** All that is wrong, each with the flag or variable it stands in, and the remedy. */
  readonly problems: string[] = [];
  /** `false`: whoever reads of a problem has the environment alone. */
  readonly hasFlags: boolean;
  readonly #flags: GivenFlags;

  constructor(flags: GivenFlags, env: NodeJS.ProcessEnv, cwd: string, { hasFlags = true } = {}) {
    this.#flags = flags;
    this.hasFlags = hasFlags;
    this.env = env;
    this.cwd = cwd;
  }

  /** Rejects with one `ConfigError` for everything that is wrong. */
  throwIfWrong(): void {
    // What is asked for twice is wrong twice.
    const problems = [...new Set(this.problems)];
    if (problems.length > 0) throw new ConfigError(problems.join('; '));
  }

  /** The value, and the flag or variable that it came from. */
  of(option: OptionName): { name: string; value: string | undefined; fromFlag: boolean } {
    const row = optionRow(option);
    const flag = this.#flags[option];
    const flagName = row.flag.split(' ')[0] ?? option;
    if (typeof flag === 'string' && flag !== '') {
      return { name: flagName, value: flag, fromFlag: true };
    }
    // The accounts' twin holds JSON, not a path.
    const env = option === 'accountsConfigPath' ? undefined : row.env;
    return { name: env ?? flagName, value: (env && this.env[env]) || undefined, fromFlag: false };
  }

  /** With commas between; empty where there are none, and what is between two commas is. */
  list(option: OptionName): string[] {
    const parts = (this.of(option).value ?? '').split(',').map((part) => part.trim());
    return [...new Set(parts.filter((part) => part !== ''))];
  }

  /** Of a flag without a value. */
  isGiven(option: OptionName): boolean {
    return this.#flags[option] === true;
  }

  /** Absolute. */
  path(option: OptionName): string | undefined {
    const { value } = this.of(option);
    return value === undefined ? undefined : resolve(this.cwd, value);
  }

  choice<T extends string>(option: OptionName, allowed: readonly T[], fallback: T): T {
    const { name, value } = this.of(option);
    const found = value === undefined ? fallback : allowed.find((choice) => choice === value);
    if (found === undefined) {
      this.problems.push(`${name}: ${quoted(value)} is not one of ${allowed.join(', ')}`);
    }
    return found ?? fallback;
  }

  option(option: OptionName, bounds: Bounds): number {
    const { name, value } = this.of(option);
    return this.number(value, { name, ...bounds });
  }

  /** Milliseconds: `30s`, `5m`, `1h`, `7d`; `0`. */
  duration(option: OptionName, fallbackMs: number): number {
    const { name, value } = this.of(option);
    if (value === undefined) return fallbackMs;
    const [, count, unit] = /^([0-9]{1,6}(?:\.[0-9]{1,3})?)([smhd])$/.exec(value) ?? [];
    if (count !== undefined && unit !== undefined) return Number(count) * (UNITS_MS[unit] ?? 0);
    if (value !== '0') {
      this.problems.push(
        `${name}: ${quoted(value)} is not a duration such as 30s, 5m or 1h (0: off)`,
      );
    }
    return 0;
  }

  number(value: string | undefined, { name, ...bounds }: Bounds & { name: string }): number {
    if (value === undefined || value === '') return bounds.fallback;
    const number = /^[0-9]+(\.[0-9]+)?$/.test(value) ? Number(value) : Number.NaN;
    const fits = number >= bounds.min && number <= bounds.max;
    if (fits && (!bounds.integer || Number.isInteger(number))) return number;
    const kind = bounds.integer ? 'a whole number' : 'a number';
    this.problems.push(
      `${name}: ${quoted(value)} is not ${kind} from ${bounds.min} to ${bounds.max}`,
    );
    return bounds.fallback;
  }
}

/** Whether TDA_ENV or ENV says that this is production. */
export function isProduction(env: NodeJS.ProcessEnv): boolean {
  return [env.TDA_ENV, env.ENV].some((name) => /^prod(uction)?$/i.test(name ?? ''));
}

/** A value as it stands in a sentence. */
export function quoted(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing';
}
