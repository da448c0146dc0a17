import { deal, type WaitOf } from '../accounts/dealing.js';
import { type Pacing, unpaced } from '../accounts/pacing.js';
import type { ChartNeeds } from '../accounts/plans.js';
import type { Reserved, Spending } from '../accounts/spending.js';
import {
  type AccountUsage,
  type Day,
  dayOf,
  exhaustedWrite,
  readUsage,
  usageWrite,
} from '../accounts/usage.js';
import type { Clock } from '../clock.js';
import type { Account } from '../contracts/documents.js';
import type { Reading, Write } from '../documents/document-store.js';
import { paths } from '../documents/paths.js';
import type { LeaseDocument } from './lease-document.js';
import { backOff, type ServerClock, Stopwatch } from './server-clock.js';
import type { StepLease } from './step-lease.js';
import type { Waiting } from './waiting.js';

/** Of what the ledger says of an account, as much as may be spent; all of it for a step. */
export type Allowance = (usage: AccountUsage) => AccountUsage;

/** Around 00:00 UTC nobody can say which day a call will be counted on. */
const MIDNIGHT_GUARD_MS = 5_000;
const DAY_MS = 86_400_000;

/**
 * Where a running step gets its units: from what its claim reserved, else by a top-up. Every
 * commit that moves quota also writes `reserved` into our lease, so that a lost reply is never
 * repeated, and a dead worker's units are never given back.
 */
export class QuotaDesk {
  readonly #spending: Spending;
  readonly #lease: StepLease;
  readonly #serverClock: ServerClock;
  readonly #clock: Clock;
  readonly #pacing: Pacing | undefined;
  readonly #waiting: Waiting;
  readonly #allowance: Allowance;

  /** Without `pacing` nobody counts requests a second. */
  constructor(
    {
      spending,
      lease,
      serverClock,
    }: { spending: Spending; lease: StepLease; serverClock: ServerClock },
    clock: Clock,
    pacing: Pacing | undefined,
    waiting: Waiting,
    allowance: Allowance = (usage) => usage,
  ) {
    this.#spending = spending;
    this.#lease = lease;
    this.#serverClock = serverClock;
    this.#clock = clock;
    this.#pacing = pacing;
    this.#waiting = waiting;
    this.#allowance = allowance;
  }

  /**
   * One unit, to be spent at once: the lease is fresh and the day is sure at the moment it is taken.
   * `undefined`: no account can pay for this chart.
   */
  async unit(
    needs: ChartNeeds,
    not: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<Account | undefined> {
    for (;;) {
      await this.#lease.fresh(signal);
      signal.throwIfAborted();
      const nowMs = this.#serverClock.nowMs();
      const unsureForMs = untilSureOfDay(nowMs);
      if (unsureForMs > 0) {
        await this.#waiting.on({ reason: 'midnight' }, unsureForMs, signal);
        continue;
      }
      const today = dayOf(nowMs);
      const atMs = this.#clock.monotonic();
      const earliestMs = (account: Account) => this.#pacing?.earliestMs(account, atMs) ?? atMs;
      const payer = this.#spending.payer(needs, not, today, earliestMs);
      if (!payer) {
        if (!(await this.#topUp(needs, not, today, signal))) return undefined;
      } else if (earliestMs(payer) > atMs) {
        const able = this.#spending.open(needs, not);
        const all = able.length > 1 && able.every((account) => earliestMs(account) > atMs);
        const limit = { reason: 'pace', account: payer, all } as const;
        await this.#waiting.on(limit, earliestMs(payer) - atMs, signal);
      } else {
        this.#pacing?.sent(payer, atMs);
        this.#spending.spend(payer, today);
        return payer;
      }
    }
  }

  /** The unit's request surely never left: it pays for another one. */
  giveBack(account: Account): void {
    this.#spending.unspend(account, dayOf(this.#serverClock.nowMs()));
  }

  /** Nothing is left for this account today, says the provider: so the ledger says it to the others. */
  async exhausted(account: Account, signal: AbortSignal): Promise<void> {
    this.#spending.close(account.id);
    const path = paths.usage(account.id);
    for (let round = 0; !signal.aborted; round++) {
      const done = await this.#lease.exclusively(async (hold) => {
        const reading = await hold.read([path]);
        const usage = readUsage(account, reading.get(path), dayOf(reading.readTimeMs));
        const moot = usage.closed !== undefined;
        return moot || (await hold.commit({}, [exhaustedWrite(path, usage)])) === 'committed';
      });
      if (done) return;
      await backOff(this.#clock, round, signal);
    }
  }

  #waitNow(): WaitOf {
    const pacing = this.#pacing;
    if (!pacing) return unpaced;
    const nowMs = this.#clock.monotonic();
    return (account) => pacing.earliestMs(account, nowMs) - nowMs;
  }

  /** `true`: it is worth to try `take` again; `false`: no account has a unit left. */
  async #topUp(
    needs: ChartNeeds,
    not: ReadonlySet<string>,
    today: Day,
    signal: AbortSignal,
  ): Promise<boolean> {
    const open = this.#spending.open(needs, not);
    for (let round = 0; open.length > 0; round++) {
      signal.throwIfAborted();
      const result = await this.#lease.exclusively(async (hold) => {
        const since = new Stopwatch(this.#clock);
        const reading = await hold.read(open.map(({ id }) => paths.usage(id)));
        this.#serverClock.observe(reading.readTimeMs, since);
        // What an earlier commit with a lost reply reserved counts as well.
        this.#spending.reservedNow(hold.lease.reserved);
        if (dayOf(reading.readTimeMs) !== today) return 'another-day';
        const usages = open.map((account) =>
          this.#allowance(readUsage(account, reading.get(paths.usage(account.id)), today)),
        );
        const [id] = deal([needs], usages, this.#waitNow()).keys();
        const usage = usages.find(({ account }) => account.id === id);
        if (!usage) return 'nothing-left';
        const reserved = oneMore(hold.lease.reserved, usage);
        const write = usageWrite(paths.usage(usage.account.id), usage, 1);
        const committed = await hold.commit({ reserved }, [write]);
        if (committed === 'committed') this.#spending.reservedNow(reserved);
        return committed;
      });
      if (result === 'nothing-left') return false;
      if (result !== 'refused') return true;
      await backOff(this.#clock, round, signal);
    }
    return false;
  }
}

/** Milliseconds until the store's clock is surely within one UTC day; 0: it is now. */
function untilSureOfDay(nowMs: number): number {
  const sinceMidnightMs = nowMs % DAY_MS;
  if (sinceMidnightMs < MIDNIGHT_GUARD_MS) return MIDNIGHT_GUARD_MS - sinceMidnightMs;
  const untilMidnightMs = DAY_MS - sinceMidnightMs;
  return untilMidnightMs <= MIDNIGHT_GUARD_MS ? untilMidnightMs + MIDNIGHT_GUARD_MS : 0;
}

/** What a commit that gives quota back writes: to the ledger, and to our lease. */
export interface Refund {
  readonly writes: readonly Write[];
  readonly reserved: Reserved;
}

/**
 * Gives back what was surely not sent: not across a day, not for an account that is exhausted or
 * closed. What was given back is gone from `reserved`, so that a refund whose reply was lost is not
 * made again.
 */
export function refundOf(
  accounts: readonly Account[],
  spending: Spending | undefined,
  lease: LeaseDocument,
  reading: Reading,
): Refund {
  if (!spending) return { writes: [], reserved: lease.reserved };
  spending.reservedNow(lease.reserved);
  const today = dayOf(reading.readTimeMs);
  const writes: Write[] = [];
  const reserved = { ...lease.reserved };
  for (const id of refundable(spending)) {
    const account = accounts.find((candidate) => candidate.id === id);
    const before = reserved[id];
    if (!account || before?.day !== today) continue;
    const usage = readUsage(account, reading.get(paths.usage(id)), today);
    if (usage.closed !== undefined || usage.used === 0) continue;
    const units = spending.unsent(id);
    writes.push(usageWrite(paths.usage(id), usage, -units));
    reserved[id] = { ...before, units: before.units - units };
  }
  return { writes, reserved };
}

/** The accounts that have something to give back. */
export function refundable(spending: Spending | undefined): string[] {
  return spending ? Object.keys(spending.reserved).filter((id) => spending.unsent(id) > 0) : [];
}

function oneMore(reserved: Reserved, { account, day }: AccountUsage): Reserved {
  const before = reserved[account.id];
  const units = before?.day === day ? before.units : 0;
  return { ...reserved, [account.id]: { day, units: units + 1 } };
}
