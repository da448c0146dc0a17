import { ConfigError } from '../failures.js';
import type { Severity } from '../log/logger.js';
import type { GivenFlags } from './options.js';

/** How a run speaks; known before anything else, so that the rest can be said properly. */
export interface OutputConfig {
  readonly summary: 'none' | 'text' | 'json';
  readonly format: 'auto' | 'pretty' | 'json';
  /** Less severe events are not logged. */
  readonly severity: Severity;
  /** `undefined`: nobody but a shell listens. */
  readonly github: GithubConfig | undefined;
}

/** What GitHub Actions wants to hear. */
export interface GithubConfig {
  /** The file of GITHUB_STEP_SUMMARY, to be appended to. */
  readonly stepSummary: string | undefined;
}

const LEVELS: Readonly<Record<string, Severity>> = {
  debug: 'DEBUG',
  info: 'INFO',
  warning: 'WARNING',
  error: 'ERROR',
};

/** Rejects with `ConfigError`, one line for all that is wrong. */
export function parseOutputConfig(flags: GivenFlags, env: NodeJS.ProcessEnv): OutputConfig {
  const problems: string[] = [];
  const choice = <T extends string>(name: string, value: unknown, allowed: readonly T[]): T => {
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) {
      problems.push(`${name}: ${JSON.stringify(value)} is not one of ${allowed.join(', ')}`);
    }
    return found ?? (allowed[0] as T);
  };
  const summary = choice(
    '--output-summary',
    flags.json ? 'json' : (flags.outputSummary ?? 'text'),
    ['text', 'none', 'json'],
  );
  const format = choice('--log-format', flags.logFormat ?? 'auto', ['auto', 'pretty', 'json']);
  const level = choice('LOG_LEVEL', (env.LOG_LEVEL || 'info').toLowerCase(), Object.keys(LEVELS));
  const byItself = env.GITHUB_ACTIONS === 'true' ? 'github' : 'none';
  const ci = choice('--ci', flags.ci ?? byItself, ['none', 'github']);
  if (flags.quiet && flags.verbose) problems.push('--quiet and --verbose exclude each other');
  if (problems.length > 0) throw new ConfigError(problems.join('; '));
  const asked = flags.verbose ? 'DEBUG' : (LEVELS[level] ?? 'INFO');
  const stepSummary = env.GITHUB_STEP_SUMMARY || undefined;
  return {
    summary,
    format,
    severity: flags.quiet ? 'WARNING' : asked,
    github: ci === 'github' ? { stepSummary } : undefined,
  };
}
