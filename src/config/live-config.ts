import { chartEndpoint } from '../chart-img/live/endpoint.js';
import { ConfigError } from '../failures.js';
import { type ProxySettings, proxyFor, proxyOf } from '../http/proxy.js';
import type { Source } from './source.js';

/** How Chart-IMG is reached. */
export interface LiveConfig {
  readonly baseUrl: string;
  /** Of one call. */
  readonly timeoutMs: number;
  readonly proxy: ProxySettings;
}

/** How Chart-IMG is reached; what is wrong is added to the source's problems. */
export function liveConfig(source: Source): LiveConfig {
  const { env, problems } = source;
  const baseUrl = env.CHART_IMG_BASE_URL || 'https://api.chart-img.com';
  const proxy = proxyOf(env);
  try {
    proxyFor(chartEndpoint(baseUrl), proxy);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(error.message);
  }
  const timeout = source.number(env.CHART_IMG_TIMEOUT_SECONDS, {
    name: 'CHART_IMG_TIMEOUT_SECONDS',
    fallback: 35,
    min: 0.1,
    max: 600,
  });
  return { baseUrl, timeoutMs: timeout * 1_000, proxy };
}

/** Recordings never go into the installed package: the next install would take them away. */
export function recordFolder(folder: string, problems: string[]): string {
  if (/[\\/]node_modules[\\/]/.test(`${folder}/`)) {
    problems.push(
      `--fixtures-dir: ${folder} is in an installed package; record into a folder of yours`,
    );
  }
  return folder;
}
