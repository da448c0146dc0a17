import { dayOf } from '../../src/accounts/usage.js';
import type { JsonObject } from '../../src/contracts/documents.js';
import { paths } from '../../src/documents/paths.js';
import { ChangeableWeather } from './changeable-weather.js';
import { Dice } from './dice.js';
import { FUNCTION } from './scenery.js';
import { someScenery } from './some-scenery.js';
import type { WatchedStep } from './step-end.js';
import type { Process } from './virtual-time.js';
import { type Instance, isAnswered, LEASE_TTL_MS, type Told, World } from './world.js';

const MINUTE_MS = 60_000;
const WORKERS = 3;

interface Event {
  readonly runId: string;
  readonly eventId: string;
}

/** A world of one seed: workers, events, and everybody else who writes. */
class Simulation {
  readonly #dice: Dice;
  readonly #weather: ChangeableWeather;
  readonly #world: World;
  readonly #instances: Instance[] = [];
  readonly #underWay = new Set<Promise<unknown>>();
  /** Elapsed time is told by two clocks: one that stands still, or one that is set back, not both. */
  readonly #haveLids: boolean;
  #boots = 0;
  #events = 0;

  constructor(seed: number, trace?: (line: string) => void) {
    this.#dice = new Dice(seed);
    const scenery = someScenery(this.#dice);
    this.#haveLids = this.#dice.chance(0.5);
    this.#weather = new ChangeableWeather(this.#dice);
    this.#world = new World(scenery, this.#weather, this.#dice.random, trace);
    for (let n = 0; n < WORKERS; n++) this.#instances.push(this.#boot());
  }

  async run(): Promise<{ calls: number; violations: readonly string[] }> {
    const { time, promises, servers } = this.#world;
    this.#plan();
    await time.pass(this.#dice.between(2, 15) * MINUTE_MS);
    this.#weather.isOver = true;
    while (this.#underWay.size > 0) await time.until(Promise.race(this.#underWay));
    await this.#rescue();
    const isSameDay = dayOf(time.nowMs) === dayOf(this.#world.scenery.startMs);
    if (this.#weather.isCalm && isSameDay) promises.endedCalmly();
    promises.ended((step) => this.#isDue(step));
    return { calls: servers.calls, violations: promises.violations };
  }

  /** What is to happen, in this world. */
  #plan(): void {
    const dice = this.#dice;
    const { steps } = this.#world.scenery;
    const runIds = [...new Set(steps.map(({ runId }) => runId))];
    for (const runId of runIds) this.#written(runId);
    const spanMs = 8 * MINUTE_MS;
    const sometimes = (count: number, happen: () => void) => {
      for (let n = 0; n < count; n++) {
        this.#later(dice.between(0, spanMs), happen);
      }
    };
    sometimes(dice.whole(0, 1), () => this.#sweep());
    sometimes(dice.whole(0, 2), () => this.#foreignCall());
    const aRun = () => dice.among(runIds);
    const aStep = () => dice.among(steps);
    const troubles: ((of: Process) => void)[] = [
      (process) => this.#end(process),
      (process) => this.#stop(process),
      (process) => this.#stop(process),
      (process) => this.#setClock(process),
      () => this.#foreignCall(),
      () => this.#foreignWrite(aRun()),
      () => this.#reset(aStep()),
    ];
    // A few kinds in each world: of all together, each would be rare where it matters.
    const [one, other] = [dice.among(troubles), dice.among(troubles)];
    this.#weather.trouble = (process) => {
      this.#later(dice.between(0, 100), () => dice.oneOf(one, other)(process));
    };
    for (const runId of runIds) sometimes(1, () => this.#foreignWrite(runId, 'SUCCEEDED'));
  }

  /** Until it clears up. */
  #later(ms: number, happen: () => void): void {
    this.#world.time.in(ms, () => {
      if (!this.#weather.isOver) happen();
    });
  }

  #boot(): Instance {
    this.#boots += 1;
    return this.#world.boot(`W${this.#boots}`, this.#dice.between(-10, 10) * MINUTE_MS);
  }

  /** Any of the three; a dead one is replaced. */
  #instance(): Instance {
    const at = this.#dice.whole(0, WORKERS - 1);
    if (this.#instances[at]?.process.isDead) this.#instances[at] = this.#boot();
    return this.#instances[at] as Instance;
  }

  /** Firestore tells of it, late, twice, or never. */
  #written(runId: string): void {
    const dice = this.#dice;
    this.#events += 1;
    const event = { runId, eventId: `event-${this.#events}` };
    const copies = dice.oneOf(1, 1, 1, 2, 2, 3, 0);
    const isLate = dice.chance(0.2);
    for (let n = 0; n < copies; n++) {
      this.#later(dice.between(1, isLate ? 3 * MINUTE_MS : 2_000), () => this.#deliver(event));
    }
  }

  #deliver(event: Event): void {
    const instance = this.#instance();
    if (instance.isBusy || instance.isEnding) {
      this.#later(this.#dice.between(500, 5_000), () => this.#deliver(event));
      return;
    }
    this.#follow(instance.deliver(event.runId, event.eventId), (told) => {
      if (isAnswered(told)) return;
      const againMs = this.#dice.between(10, 100) * 1_000;
      this.#later(againMs, () => this.#deliver(event));
    });
  }

  #sweep(): void {
    const instance = this.#instance();
    if (instance.isBusy || instance.isEnding) {
      this.#later(this.#dice.between(500, 5_000), () => this.#sweep());
    } else this.#follow(instance.sweep(), () => undefined);
  }

  /** SIGTERM. */
  #end(process: Process): void {
    this.#instances.find((instance) => instance.process === process)?.end();
  }

  #follow(work: Promise<Told>, then: (told: Told) => void): void {
    const followed = work.then((told) => {
      this.#underWay.delete(followed);
      then(told);
    });
    this.#underWay.add(followed);
  }

  /** SIGSTOP, or a laptop that is closed: then the monotonic clock stands still as well. */
  #stop(process: Process): void {
    const dice = this.#dice;
    const stoppedMs = dice.between(0.2, 2) * LEASE_TTL_MS;
    process.wakesAtMs = this.#world.time.nowMs + stoppedMs;
    if (this.#haveLids && dice.chance(0.5)) process.sleptMs += stoppedMs;
    // Others take over while it is stopped, and may be at work when it wakes.
    this.#later(dice.between(0.9, 1) * stoppedMs, () => this.#sweep());
  }

  #setClock(process: Process): void {
    process.offsetMs += this.#dice.between(this.#haveLids ? 0 : -60, 60) * MINUTE_MS;
  }

  /** The other worker counts one unit in the same ledger, then calls. */
  #foreignCall(): void {
    const { documents, provider, scenery, time } = this.#world;
    const { id, apiKey, dailyLimit } = this.#dice.among(scenery.accounts);
    const day = dayOf(time.nowMs);
    const windowStart = `${day}T00:00:00Z`;
    const path = paths.usage(id);
    const usage = documents.dataOf(path) ?? {};
    const used = usage.windowStart === windowStart ? Number(usage.usageToday) : 0;
    if (used >= dailyLimit) return;
    const fields = [
      [['usageToday'], used + 1],
      [['windowStart'], windowStart],
      [['lastUsedBy'], 'python'],
    ] as const;
    documents.commitNow([{ kind: 'patch', path, fields }]);
    provider.count(apiKey, time.nowMs);
  }

  /** Another step of the run comes on. */
  #foreignWrite(runId: string, status = `RUNNING ${this.#events}`): void {
    const fields = [[['steps', 'ohlcv', 'status'], status]] as const;
    this.#world.documents.commitNow([{ kind: 'patch', path: paths.flowRun(runId), fields }]);
    this.#written(runId);
  }

  /** Somebody wants a step to be done anew, or not at all. */
  #reset({ runId, stepId }: WatchedStep): void {
    const fields = [
      [['steps', stepId, 'status'], this.#dice.oneOf('READY', 'READY', 'CANCELLED')],
      [['steps', stepId, 'error'], undefined],
      [['steps', stepId, 'finishedAt'], undefined],
    ] as const;
    this.#world.documents.commitNow([{ kind: 'patch', path: paths.flowRun(runId), fields }]);
    this.#written(runId);
  }

  /** Nothing goes wrong any more: two redeliveries of each event, or one sweep, and all is done. */
  async #rescue(): Promise<void> {
    const { time, scenery } = this.#world;
    const fresh = this.#world.boot('last', 0, FUNCTION.timeoutMs);
    if (this.#dice.chance(0.5)) {
      await time.pass(2 * LEASE_TTL_MS);
      const told = await time.until(fresh.sweep());
      if (!isAnswered(told)) this.#world.promises.violations.push('the last sweep failed');
      return;
    }
    const runIds = [...new Set(scenery.steps.map(({ runId }) => runId))];
    for (const eventId of ['last-1', 'last-2']) {
      for (const runId of runIds) await time.until(fresh.deliver(runId, eventId));
      await time.pass(2 * LEASE_TTL_MS);
    }
  }

  #isDue({ runId, stepId }: WatchedStep): boolean {
    const steps = this.#world.documents.dataOf(paths.flowRun(runId))?.steps as JsonObject;
    const { dependsOn } = steps[stepId] as { dependsOn: readonly string[] };
    return dependsOn.every((id) => (steps[id] as JsonObject).status === 'SUCCEEDED');
  }
}

/** One world, from its seed to the end; the same seed is the same to the letter. */
export function simulate(seed: number, trace?: (line: string) => void) {
  return new Simulation(seed, trace).run();
}
