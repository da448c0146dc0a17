import type { LiveConfig } from '../config/live-config.js';
import { ConfigError } from '../failures.js';
import { clockSkew } from './clock-check.js';
import { type Finding, failed, ok, skipped } from './finding.js';

const KNOCK_MS = 8_000;

/** Reached without spending anything; and what its clock says, to the second. */
export async function chartImg(live: LiveConfig): Promise<readonly Finding[]> {
  const name = 'chart-img';
  const { knock } = await import('../chart-img/live/knock.js');
  const askedAtMs = Date.now();
  const knocked = await knock(live, KNOCK_MS).catch((error: unknown) => {
    if (error instanceof ConfigError) return undefined;
    throw error;
  });
  if (!knocked) return [skipped(name, 'its address or proxy is refused: see config')];
  const heardAtMs = Date.now();
  const { host } = new URL(live.baseUrl);
  if (knocked.kind === 'no-answer') {
    const remedy = 'check the network, CHART_IMG_BASE_URL, HTTPS_PROXY and NO_PROXY';
    return [failed(name, `${host}: ${knocked.message}`, remedy)];
  }
  const { status, dateMs } = knocked;
  if (status !== 401 && status !== 403) {
    const fact = `${host} answers HTTP ${status} to a request without a key, not 401 or 403`;
    const remedy =
      status >= 500
        ? 'Chart-IMG has a problem of its own: try again later'
        : 'check CHART_IMG_BASE_URL: that is hardly Chart-IMG';
    return [failed(name, fact, remedy)];
  }
  const reached = ok(name, `${host} answers; no quota was spent`);
  if (dateMs === undefined) return [reached];
  // Its date has no fraction: the true time may be almost a second later.
  const serverMs = Math.max(dateMs, Math.min(dateMs + 999, askedAtMs));
  return [reached, clockSkew({ server: host, serverMs, askedAtMs, heardAtMs })];
}
