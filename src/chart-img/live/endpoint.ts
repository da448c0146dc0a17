import { ConfigError } from '../../failures.js';

const PATH = 'v2/tradingview/advanced-chart';
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Where a chart is asked for. Throws `ConfigError`: a key sent over plain http beyond this machine
 * would be anybody's.
 */
export function chartEndpoint(baseUrl: string): URL {
  if (!URL.canParse(baseUrl)) throw new ConfigError('CHART_IMG_BASE_URL is not a URL');
  const url = new URL(baseUrl);
  const isLocal = url.protocol === 'http:' && LOOPBACK.test(url.hostname);
  if (url.protocol !== 'https:' && !isLocal) {
    throw new ConfigError('CHART_IMG_BASE_URL must be https, or http on the loopback');
  }
  if (url.username || url.password || url.search || url.hash) {
    throw new ConfigError('CHART_IMG_BASE_URL must be an origin and a path, nothing else');
  }
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${PATH}`;
  return url;
}
