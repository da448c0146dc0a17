import { ConfigError } from '../../failures.js';

export interface ProxySettings {
  /** As in `HTTPS_PROXY`; it concerns https alone, as everywhere. */
  readonly httpsProxy?: string | undefined;
  /** As in `NO_PROXY`. */
  readonly noProxy?: string | undefined;
}

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

/** The proxy on the way to `endpoint`, if there is one. Throws `ConfigError`, without its password. */
export function proxyFor(endpoint: URL, { httpsProxy, noProxy }: ProxySettings): URL | undefined {
  const given = httpsProxy?.trim();
  if (!given || endpoint.protocol !== 'https:' || isExempt(endpoint, noProxy)) return undefined;
  // curl takes `proxy:8080` as well, and so people write it.
  const text = given.includes('://') ? given : `http://${given}`;
  if (!URL.canParse(text)) throw new ConfigError('HTTPS_PROXY is not a URL');
  const proxy = new URL(text);
  if (proxy.protocol !== 'http:' && proxy.protocol !== 'https:') {
    throw new ConfigError(`HTTPS_PROXY must be http or https, not ${proxy.protocol.slice(0, -1)}`);
  }
  return proxy;
}

/** `*`, or a list of domains that stand for their subdomains too, each with a port or without. */
function isExempt({ hostname, port }: URL, noProxy = ''): boolean {
  return noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      const [, domain = '', onlyPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
      if (onlyPort !== undefined && onlyPort !== (port || '443')) return false;
      const bare = domain.replace(/^\*?\./, '');
      return hostname === bare || hostname.endsWith(`.${bare}`);
    });
}
