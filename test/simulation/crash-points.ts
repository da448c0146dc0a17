import { seeded } from '../support/seeded.js';
import { account, runDocument, type Scenery, TEMPLATES, templateDocuments } from './scenery.js';
import type { Fault, Weather } from './weather.js';
import { LEASE_TTL_MS, World } from './world.js';

/** A fault at the n-th call of all, whoever makes it. */
export interface CrashPoint {
  readonly at: number;
  readonly fault: Fault;
}

/** What helps once the faults are over. */
export type Rescue = 'redelivery' | 'sweep';

export interface Ended {
  /** Calls of all ports. */
  readonly calls: number;
  readonly violations: readonly string[];
}

const RUN_ID = '20260301-120000_BTCUSDT_crash';
const STEP = {
  runId: RUN_ID,
  stepId: 'charts:1H:three',
  symbol: 'BTCUSDT',
  timeframe: '1h',
  chartTemplateIds: TEMPLATES,
  minImages: 3,
};
/** Units for what is paid for again where a reply was unclear, and not for more. */
const DAILY_LIMIT = 6;
/** So that the second redelivery finds the lease of a dead one expired. */
const REDELIVERED_AFTER_MS = 60_000;
const LATE_MS = 2_000;

function scenery(): Scenery {
  return {
    startMs: Date.parse('2026-03-01T12:00:00Z'),
    accounts: [account(1, DAILY_LIMIT), account(2, DAILY_LIMIT)],
    steps: [STEP],
    documents: { ...templateDocuments(), [`flow_runs/${RUN_ID}`]: runDocument([STEP]) },
  };
}

class Points implements Weather {
  readonly #faults: ReadonlyMap<number, Fault>;

  constructor(points: readonly CrashPoint[]) {
    this.#faults = new Map(points.map(({ at, fault }) => [at, fault]));
  }

  faultAt(n: number): Fault | undefined {
    return this.#faults.get(n);
  }

  wayMs(): number {
    return 20;
  }

  lateMs(): number {
    return LATE_MS;
  }

  pick<T>(likely: T): T {
    return likely;
  }

  mood(): 200 {
    return 200;
  }
}

/** A step of three charts, with these faults, followed by what ends it. */
export async function crashAt(
  points: readonly CrashPoint[],
  rescue: Rescue,
  trace?: (line: string) => void,
): Promise<Ended> {
  const world = new World(scenery(), new Points(points), seeded(1), trace);
  const { time, servers, promises } = world;
  const lastFaultAt = Math.max(0, ...points.map(({ at }) => at));
  let instance = world.boot('W1');
  let calm = 0;
  for (let n = 1; calm < 3; n++) {
    if (instance.process.isDead) instance = world.boot(`W${n}`);
    if (servers.calls >= lastFaultAt) calm += 1;
    if (calm > 0 && rescue === 'sweep' && n > 1) {
      await time.pass(LEASE_TTL_MS);
      const swept = await time.until(instance.sweep());
      if (swept !== 204) promises.violations.push(`the sweep answered ${swept}`);
      break;
    }
    const told = await time.until(instance.deliver(RUN_ID, 'event-1'));
    if (told === 204) break;
    if (calm === 3) promises.violations.push('two redeliveries did not end it');
    await time.pass(REDELIVERED_AFTER_MS);
  }
  promises.ended(() => true);
  return { calls: servers.calls, violations: promises.violations };
}
