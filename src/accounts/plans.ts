import type { Account } from '../contracts/documents.js';

export type PlanName = NonNullable<Account['plan']>;

/** How fast an account may be asked. */
export interface Pace {
  readonly requestsPerSecond: number;
  /** Requests that may leave at once after a pause. */
  readonly burst: number;
}

interface Plan extends Pace {
  readonly chartsPerDay: number;
  /** Pixels. */
  readonly maxWidth: number;
  /** Pixels. */
  readonly maxHeight: number;
  /** Studies and drawings together. */
  readonly maxParameters: number;
}

/** Chart-IMG's plans, smallest first (its pricing page, 2025-11). */
const PLANS: Readonly<Record<PlanName, Plan>> = {
  BASIC: {
    requestsPerSecond: 1,
    burst: 3,
    chartsPerDay: 50,
    maxWidth: 800,
    maxHeight: 600,
    maxParameters: 3,
  },
  PRO: {
    requestsPerSecond: 10,
    burst: 15,
    chartsPerDay: 500,
    maxWidth: 1920,
    maxHeight: 1080,
    maxParameters: 5,
  },
  MEGA: {
    requestsPerSecond: 15,
    burst: 25,
    chartsPerDay: 1_000,
    maxWidth: 1920,
    maxHeight: 1600,
    maxParameters: 10,
  },
  ULTRA: {
    requestsPerSecond: 35,
    burst: 50,
    chartsPerDay: 3_000,
    maxWidth: 2048,
    maxHeight: 1920,
    maxParameters: 25,
  },
  ENTERPRISE: {
    requestsPerSecond: 35,
    burst: 50,
    chartsPerDay: 5_000,
    maxWidth: 2048,
    maxHeight: 1920,
    maxParameters: 50,
  },
};

/** Without a plan's name: what the first implementation allowed itself of a free key's 50. */
const DAILY_LIMIT_WITHOUT_PLAN = 44;
/** The rest is left for calls that somebody makes by hand. */
const SHARE_OF_PLAN = 0.95;

/** What a chart asks of a plan. */
export interface ChartNeeds {
  readonly width: number;
  readonly height: number;
  readonly parameters: number;
}

/** Charts a UTC day that this worker allows itself, unless the usage document says otherwise. */
export function configuredDailyLimit(account: Account): number {
  if (account.dailyLimit !== undefined) return account.dailyLimit;
  return account.plan
    ? Math.floor(PLANS[account.plan].chartsPerDay * SHARE_OF_PLAN)
    : DAILY_LIMIT_WITHOUT_PLAN;
}

/** The account's own words, else its plan's, else the smallest plan's. */
export function paceOf({ plan = 'BASIC', requestsPerSecond, burst }: Account): Pace {
  return {
    requestsPerSecond: requestsPerSecond ?? PLANS[plan].requestsPerSecond,
    burst: burst ?? PLANS[plan].burst,
  };
}

/** An account without a named plan is taken at its word: the provider will tell. */
export function canDraw(account: Account, needs: ChartNeeds): boolean {
  return account.plan === undefined || fits(PLANS[account.plan], needs);
}

/** Lower: draws less. An account without a named plan may be able to draw anything. */
export function planRank({ plan }: Account): number {
  return plan === undefined ? Number.POSITIVE_INFINITY : Object.keys(PLANS).indexOf(plan);
}

/** For messages: the smallest plan that would do; `undefined` when none does. */
export function smallestPlanFor(needs: ChartNeeds): PlanName | undefined {
  return (Object.keys(PLANS) as PlanName[]).find((name) => fits(PLANS[name], needs));
}

/** All plans, smallest first. */
export const PLAN_NAMES = Object.keys(PLANS) as readonly PlanName[];

/** The plans that may be asked; empty where an account names none: it may be able to draw anything. */
export function plansAtHand(accounts: readonly Account[]): PlanName[] {
  const plans = accounts.flatMap(({ plan }) => plan ?? []);
  return plans.length === accounts.length ? [...new Set(plans)] : [];
}

/** Each plan draws all that a smaller one does: where the largest cannot, none can. */
export function largestPlan(plans: readonly PlanName[]): PlanName | undefined {
  return (Object.keys(PLANS) as PlanName[]).findLast((name) => plans.includes(name));
}

/** The most that a plan draws. */
export function mostOf(plan: PlanName): ChartNeeds {
  const { maxWidth, maxHeight, maxParameters } = PLANS[plan];
  return { width: maxWidth, height: maxHeight, parameters: maxParameters };
}

function fits(plan: Plan, { width, height, parameters }: ChartNeeds): boolean {
  return width <= plan.maxWidth && height <= plan.maxHeight && parameters <= plan.maxParameters;
}
