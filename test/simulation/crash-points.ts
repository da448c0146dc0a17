import { seeded } from '../support/seeded.js';
import {
  account,
  FUNCTION,
  runDocument,
  type Scenery,
  TEMPLATES,
  templateDocuments,
} from './scenery.js';
import { FAULTS, type Fault, type Method, type Weather } from './weather.js';
import { isAnswered, LEASE_TTL_MS, type Told, World } from './world.js';

/** What helps once the faults are over. */
export const RESCUES = ['redelivery', 'sweep'] as const;

export interface Crash {
  /** Faults at the n-th call of all, whoever makes it; ascending. */
  readonly points: readonly { readonly at: number; readonly fault: Fault }[];
  readonly rescue: (typeof RESCUES)[number];
}

/** `4 dies-after, 17 hangs: sweep`. */
export function nameOf({ points, rescue }: Crash): string {
  return `${points.map(({ at, fault }) => `${at} ${fault}`).join(', ')}: ${rescue}`;
}

/** `undefined`: it is no such name. */
export function caseNamed(name: string): Crash | undefined {
  const [list = '', ending] = name.split(': ');
  const rescue = RESCUES.find((known) => known === ending);
  const points = list.split(', ').map((point) => {
    const [at, word] = point.split(' ');
    return { at: Number(at), fault: FAULTS.find((known) => known === word) as Fault };
  });
  return rescue && { points, rescue };
}

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
    ...FUNCTION,
    startMs: Date.parse('2026-03-01T12:00:00Z'),
    accounts: [account(1, DAILY_LIMIT), account(2, DAILY_LIMIT)],
    steps: [STEP],
    documents: { ...templateDocuments(), [`flow_runs/${RUN_ID}`]: runDocument([STEP]) },
  };
}

class Points implements Weather {
  readonly #faults: ReadonlyMap<number, Fault>;
  readonly #met: [Method, Fault][] = [];

  constructor(points: Crash['points']) {
    this.#faults = new Map(points.map(({ at, fault }) => [at, fault]));
  }

  faultAt(n: number, method: Method): Fault | undefined {
    const fault = this.#faults.get(n);
    if (fault !== undefined) this.#met.push([method, fault]);
    return fault;
  }

  /** One call alone, that the same delivery tries again, or finds applied. */
  get isMinor(): boolean {
    const [[method, fault] = ['read', 'fails']] = this.#met;
    const isTried = method === 'commit' || method === 'render' || method === 'put';
    return this.#met.length === 1 && isTried && !fault.startsWith('dies');
  }

  wayMs(): number {
    return 20;
  }

  answerMs(): number {
    return 20;
  }

  lateMs(): number {
    return LATE_MS;
  }

  pick<T>(likely: T): T {
    return likely;
  }

  mood() {
    return { status: 200 } as const;
  }
}

/** A step of three charts, with these faults, followed by what ends it. */
export async function crashAt(
  { points, rescue }: Crash,
  trace?: (line: string) => void,
): Promise<Ended> {
  const weather = new Points(points);
  const world = new World(scenery(), weather, seeded(1), trace);
  const { time, servers, promises } = world;
  const lastFaultAt = Math.max(0, ...points.map(({ at }) => at));
  let instance = world.boot('W1');
  let calm = 0;
  let first: Told | undefined;
  for (let n = 1; calm < 2; n++) {
    if (instance.process.isDead) instance = world.boot(`W${n}`);
    if (servers.calls >= lastFaultAt) calm += 1;
    if (calm > 0 && rescue === 'sweep' && n > 1) {
      await time.pass(LEASE_TTL_MS);
      const swept = await time.until(instance.sweep());
      if (!isAnswered(swept)) promises.violations.push('the sweep did not come through');
      break;
    }
    const told = await time.until(instance.deliver(RUN_ID, 'event-1'));
    first ??= told;
    if (isAnswered(told)) break;
    if (calm === 2) promises.violations.push('two redeliveries did not end it');
    await time.pass(REDELIVERED_AFTER_MS);
  }
  promises.ended(() => true);
  if (weather.isMinor && !isDone(first)) {
    promises.violations.push('what no delivery should fail for made it fail');
  }
  return { calls: servers.calls, violations: promises.violations };
}

function isDone(told: Told | undefined): boolean {
  if (told === undefined || told === 'died') return false;
  return told.outcomes.some(({ reason }) => reason === 'succeeded' || reason === 'failed');
}
