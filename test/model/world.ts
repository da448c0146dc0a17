/**
 * What one step's life looks like from outside: its documents, its bucket, the provider's bill.
 * Versions are reduced to "nobody wrote it since I read it", time to "the lease has expired" and
 * "it is midnight"; one account pays for all charts, and `minImages` is the number of charts.
 */
export interface World {
  status: 'READY' | 'RUNNING' | 'FINAL';
  lease: Lease;
  /** The ledger's document speaks of this day; `counted` remembers what it said of every day. */
  usageDay: number;
  counted: readonly number[];
  /** Calls that reached the provider on each day, by whomever. */
  paid: readonly number[];
  /** Charts of the current claim that lie in the bucket. */
  stored: readonly boolean[];
  paidTwice: boolean;
  /** Which holder's manifest lies in the bucket, who settled, and how often the claim was settled. */
  manifest: number;
  settler: number;
  settles: number;
  /** Somebody set the step to READY, and it went on as if nobody had. */
  resetLost: boolean;
  today: number;
  /** Every holder gets the next number. */
  holders: number;
  workers: Worker[];
  /** A write whose sender heard nothing: it arrives later or never. */
  inFlight: Write | null;
  /** How often each thing that nobody wishes for may still happen. */
  left: Troubles;
}

export interface Lease {
  readonly token: number;
  readonly claim: number;
  readonly attempt: number;
  readonly state: 'ABSENT' | 'ACTIVE' | 'RELEASED' | 'DONE';
  readonly expired: boolean;
  readonly reserved: Units;
}

export interface Units {
  readonly day: number;
  readonly units: number;
}

export type Watched = 'run' | 'lease' | 'usage' | 'manifest';

/** One conditional write, all or nothing; the manifest's put is one too. */
export interface Write {
  readonly by: number;
  readonly what: Doing;
  /** What nobody may have written since the sender read it. */
  readonly when: readonly Watched[];
  readonly status: World['status'] | null;
  readonly lease: Lease | null;
  /** What the ledger is to say of a day from now on. */
  readonly usage: Units | null;
  readonly manifest: boolean;
}

export const WRITES_NOTHING = { status: null, lease: null, usage: null, manifest: false };

export type Doing = 'claim' | 'beat' | 'top-up' | 'manifest' | 'end' | 'refund' | 'release';

export interface Worker {
  /**
   * `reading` comes before every write but the claim's and the beat's, and after every answer that
   * is not a yes; `looking` is the same for the manifest's generation.
   */
  at: 'idle' | 'surveyed' | 'listed' | 'working' | 'looking' | 'reading' | 'writing';
  doing: Doing | '';
  entry: 'fresh' | 'takeover' | 'replay' | '';
  /** Its number as a holder; the fencing token is the same unless a flaw has it otherwise. */
  id: number;
  token: number;
  claim: number;
  charts: readonly ('todo' | 'image' | 'stored' | 'failed')[];
  /** What it knows to be reserved for it, and how many of these it sent. */
  reserved: Units;
  sent: number;
  /** Two thirds of the ttl passed since its last beat: no call and no put. */
  stale: boolean;
  /** Of its last reading: the day, and the units left on it. */
  day: number;
  room: number;
  /** What nobody wrote since it read it. */
  sees: Readonly<Record<Watched, boolean>>;
}

export interface Troubles {
  /** Processes killed. */
  readonly crashes: number;
  /** A holder that lives but sleeps past its ttl. */
  readonly pauses: number;
  readonly lostReplies: number;
  /** Processes that are asked to end, or cannot settle: they give the step back. */
  readonly interruptions: number;
  /** Charts not there at the step's deadline: units stay unsent. */
  readonly deadlines: number;
  /** Calls that cost a unit and bring no image. */
  readonly stumbles: number;
  readonly midnights: number;
  /** Calls that another program makes, and counts, with the same account. */
  readonly foreignCalls: number;
  /** Writes to the run that have nothing to do with the step. */
  readonly foreignWrites: number;
  /** Somebody sets the step to READY. */
  readonly resets: number;
  readonly replays: number;
}

export interface Scenario extends Troubles {
  readonly workers: number;
  readonly charts: number;
  /** Units a day. */
  readonly limit: number;
}

export const PROMISES = {
  oneSettle: 'at most one settle per claim',
  manifest: 'the manifest is the settler’s',
  counted: 'sent ≤ counted',
  limit: 'counted ≤ limit',
  paidOnce: 'no paid and stored chart is paid again',
  anew: 'a step set to READY is done anew',
  ownCharts: 'a claim lists what it stored itself',
} as const;

export function brokenPromise(world: World, { limit }: Scenario): string | undefined {
  const { counted, paid } = world;
  if (world.settles > 1) return PROMISES.oneSettle;
  if (world.status === 'FINAL' && world.manifest !== world.settler) return PROMISES.manifest;
  if (paid.some((units, day) => units > (counted[day] as number))) return PROMISES.counted;
  if (counted.some((units) => units > limit)) return PROMISES.limit;
  if (world.paidTwice) return PROMISES.paidOnce;
  if (world.resetLost) return PROMISES.anew;
  const listsForeign = ({ claim, charts }: Worker) =>
    claim === world.lease.claim &&
    charts.some((chart, at) => chart === 'stored' && !world.stored[at]);
  if (world.workers.some(listsForeign)) return PROMISES.ownCharts;
  return undefined;
}

/** The write arrives and its conditions hold: everything of it is applied. */
export function apply(world: World, { by, what, status, lease, usage, manifest }: Write): void {
  if (status) {
    const isNewClaim = what === 'claim' && lease?.claim !== world.lease.claim;
    if (world.status === 'READY' && !isNewClaim) world.resetLost = true;
    world.status = status;
    written(world, 'run');
    if (status === 'FINAL') {
      world.settler = by;
      world.settles++;
    }
  }
  if (lease) {
    if (lease.claim !== world.lease.claim) {
      world.stored = world.stored.map(() => false);
      world.settles = 0;
    }
    world.lease = lease;
    written(world, 'lease');
  }
  if (usage) count(world, usage);
  if (manifest) {
    world.manifest = by;
    written(world, 'manifest');
  }
}

export function count(world: World, { day, units }: Units): void {
  world.usageDay = day;
  world.counted = world.counted.with(day, units);
  written(world, 'usage');
}

/** It has a new version: what anybody read of it is old, what relies on the old one never arrives. */
export function written(world: World, document: Watched): void {
  for (const worker of world.workers) {
    if (worker.sees[document]) worker.sees = { ...worker.sees, [document]: false };
  }
  if (world.inFlight?.when.includes(document)) world.inFlight = null;
}

/** Units that may still be reserved on a day; none on one that the ledger left behind. */
export function roomOn({ usageDay, counted }: World, day: number, limit: number): number {
  return usageDay > day ? 0 : limit - (counted[day] as number);
}

export function spend(world: World, trouble: keyof Troubles): void {
  world.left = { ...world.left, [trouble]: world.left[trouble] - 1 };
}

export const SEES_NOTHING = { run: false, lease: false, usage: false, manifest: false };

const NO_UNITS: Units = { day: 0, units: 0 };

export function idleWorker(): Worker {
  return {
    at: 'idle',
    doing: '',
    entry: '',
    id: 0,
    token: 0,
    claim: 0,
    charts: [],
    reserved: NO_UNITS,
    sent: 0,
    stale: false,
    day: 0,
    room: 0,
    sees: SEES_NOTHING,
  };
}

export function initialWorld({ workers, charts, limit: _, ...left }: Scenario): World {
  const days = Array.from({ length: left.midnights + 1 }, () => 0);
  return {
    status: 'READY',
    lease: {
      token: 0,
      claim: 0,
      attempt: 0,
      state: 'ABSENT',
      expired: false,
      reserved: NO_UNITS,
    },
    usageDay: 0,
    counted: days,
    paid: days,
    stored: Array.from({ length: charts }, () => false),
    paidTwice: false,
    manifest: 0,
    settler: 0,
    settles: 0,
    resetLost: false,
    today: 0,
    holders: 0,
    workers: Array.from({ length: workers }, idleWorker),
    inFlight: null,
    left,
  };
}

/** A copy to change; what lies deeper than a worker is never changed in place. */
export function copyOf(world: World): World {
  return { ...world, workers: world.workers.map((worker) => ({ ...worker })) };
}
