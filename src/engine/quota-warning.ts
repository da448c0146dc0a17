import { warnCount } from '../accounts/thresholds.js';
import type { AccountUsage } from '../accounts/usage.js';
import type { Logger } from '../log/logger.js';

/** Says of an account what people want to know before it is too late; `units` were reserved just now. */
export function warnOfUsage(usage: AccountUsage, units: number, logger: Logger): void {
  const { account, used, limit, closed } = usage;
  const usedNow = used + units;
  if (closed !== undefined) {
    logger.warn('chart_api_quota_warning', `account ${account.id} is closed: ${closed}`, {
      accountId: account.id,
    });
  } else if (usedNow >= warnCount(usage)) {
    const message = `account ${account.id} has used ${usedNow} of today's ${limit} charts`;
    logger.warn('chart_api_quota_warning', message, {
      accountId: account.id,
      used: usedNow,
      limit,
    });
  }
}
