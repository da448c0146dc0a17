import { isLoopback } from '../serve/loopback.js';
import type { GivenFlags } from './options.js';
import { ON_DEMAND_TTL_MS } from './order-config.js';
import { CLI_DEFAULTS } from './run-config.js';
import { Source } from './source.js';
import { type WorkerConfig, workerConfig } from './worker-config.js';

/** What `serve` was told from outside. */
export interface ServeConfig extends WorkerConfig {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** `undefined`: none is asked for, and `host` is this machine's own. */
  readonly token: string | undefined;
  /** From one address. */
  readonly requestsPerMinute: number;
}

/** What an Authorization header can carry, and nobody guesses. */
const TOKEN = /^[A-Za-z0-9._~+/-]{16,1000}=*$/;

/** Rejects as `parseRunConfig` does. */
export async function parseServeConfig(
  flags: GivenFlags,
  env: NodeJS.ProcessEnv,
  cwd: string,
): Promise<ServeConfig> {
  const source = new Source(flags, env, cwd);
  const config = await workerConfig(source, { ...CLI_DEFAULTS, cacheTtlMs: ON_DEMAND_TTL_MS });
  const host = source.of('host').value ?? '127.0.0.1';
  const token = env.CHARTS_API_TOKEN || undefined;
  if (token !== undefined && !TOKEN.test(token)) {
    source.problems.push(
      'CHARTS_API_TOKEN: at least 16 letters, digits and ._~+/- are a token; make one with "openssl rand -hex 32"',
    );
  }
  if (token === undefined && !isLoopback(host)) {
    source.problems.push(
      `--host: ${host} is reached by others than this machine: set CHARTS_API_TOKEN, which they then have to show`,
    );
  }
  const port = source.option('port', { fallback: 8_080, min: 0, max: 65_535, integer: true });
  const requestsPerMinute = source.number(env.CHARTS_API_REQUESTS_PER_MINUTE, {
    name: 'CHARTS_API_REQUESTS_PER_MINUTE',
    fallback: 600,
    min: 1,
    max: 1_000_000,
    integer: true,
  });
  source.throwIfWrong();
  return { ...config, host, port, token, requestsPerMinute };
}
