import { ConfigError } from '../failures.js';

export interface ProxySettings {
  /** As in `HTTPS_PROXY`; it concerns https alone, as everywhere. */
  readonly httpsProxy?: string | undefined;
  /** As in `NO_PROXY`. */
  readonly noProxy?: string | undefined;
}

/** What the environment says of proxies; an upper-case name goes before a lower-case one. */
export function proxyOf(env: Readonly<Record<string, string | undefined>>): ProxySettings {
  return {
    httpsProxy: env.HTTPS_PROXY || env.https_proxy || undefined,
    noProxy: env.NO_PROXY || env.no_proxy || undefined,
  };
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
