import { type Finding, ok, warning } from './finding.js';

/** More than a slow answer makes. */
const MOST_SKEW_MS = 5_000;

/** What a server's clock said, and when we asked and heard; epoch milliseconds. */
export interface ServerTime {
  readonly server: string;
  readonly serverMs: number;
  readonly askedAtMs: number;
  readonly heardAtMs: number;
}

/** Zero while the server's time lies between asking and hearing: nothing more can be known. */
export function clockSkew({ server, serverMs, askedAtMs, heardAtMs }: ServerTime): Finding {
  const behindMs = serverMs - heardAtMs;
  const aheadMs = askedAtMs - serverMs;
  const offMs = Math.max(0, behindMs, aheadMs);
  if (offMs <= MOST_SKEW_MS) return ok('clock', `within 5 s of ${server}`);
  const seconds = Math.round(offMs / 1_000);
  return warning(
    'clock',
    `${seconds} s ${behindMs > 0 ? 'behind' : 'ahead of'} ${server}`,
    'set this machine’s clock (timedatectl set-ntp true): charts would bear wrong times',
  );
}
