import type { Model, Step } from './explore.js';
import type { Flaw } from './flaws.js';
import {
  apply,
  brokenPromise,
  copyOf,
  count,
  type Doing,
  idleWorker,
  initialWorld,
  type Lease,
  roomOn,
  type Scenario,
  SEES_NOTHING,
  spend,
  type Units,
  type Watched,
  type Worker,
  type World,
  WRITES_NOTHING,
  type Write,
  written,
} from './world.js';

/** Smaller than the engine's 3, so that few deaths reach it. */
const MAX_ATTEMPTS = 2;

/**
 * The protocol of design §4 and §5 for one step; its workers run at any pace, at most as the clock
 * allows: a call or a put leaves at the moment of its check, which in the engine are the last third
 * of the ttl and the five seconds around midnight. Against the engine:
 *
 * - survey, listing and claim are three moments, as in `claim.ts`; its first reading, which only
 *   tells what to read, is left out, so is the wait between two tries;
 * - after a refusal or a silence `step-lease.ts` reads the lease, then the caller reads lease, run
 *   and ledger: here one reading;
 * - the beat comes only when it is needed, not every third of the ttl;
 * - settle and release go without the refund after one conflict, not after three;
 * - what the lease says is what happened: here `reserved` alone is read back, the engine looks for
 *   the `writeId` of its writes as well.
 */
export function protocol(scenario: Scenario, flaw?: Flaw): Model<World> {
  return {
    initial: initialWorld(scenario),
    steps: (world) => new Moves(world, scenario.limit, flaw).all(),
    broken: (world) => brokenPromise(world, scenario),
    isFinal: ({ status }) => status === 'FINAL',
  };
}

type Moving = Generator<Step<World>>;

/** Everything that can happen next in one world. */
class Moves {
  readonly #world: World;
  readonly #limit: number;
  readonly #flaw: Flaw | undefined;

  constructor(world: World, limit: number, flaw: Flaw | undefined) {
    this.#world = world;
    this.#limit = limit;
    this.#flaw = flaw;
  }

  *all(): Moving {
    yield* this.#time();
    yield* this.#strangers();
    for (const [index, me] of this.#world.workers.entries()) {
      yield* this.#worker(index, me);
      yield* this.#troubles(index, me);
    }
  }

  *#time(): Moving {
    const { left, lease, inFlight, workers } = this.#world;
    if (left.midnights > 0) {
      yield this.#step('midnight', (world) => {
        spend(world, 'midnights');
        world.today++;
      });
    }
    if (inFlight) {
      yield this.#step(`the ${inFlight.what} arrives after all`, (world) => {
        world.inFlight = null;
        apply(world, inFlight);
      });
    }
    const holderLives = workers.some(({ token }) => token === lease.token);
    if (lease.state === 'ACTIVE' && !lease.expired && (!holderLives || left.pauses > 0)) {
      yield this.#step('the lease expires', (world) => {
        world.lease = { ...lease, expired: true };
        if (!holderLives) return;
        spend(world, 'pauses');
        for (const worker of world.workers) {
          if (worker.token === lease.token) worker.stale = true;
        }
      });
    }
  }

  /** The pipeline, people, and the other program that shares the account. */
  *#strangers(): Moving {
    const { left, today, status } = this.#world;
    if (left.foreignWrites > 0) {
      yield this.#step('somebody writes the run', (world) => {
        spend(world, 'foreignWrites');
        written(world, 'run');
      });
    }
    if (left.resets > 0 && status !== 'READY') {
      yield this.#step('somebody sets the step to READY', (world) => {
        spend(world, 'resets');
        world.status = 'READY';
        written(world, 'run');
      });
    }
    if (left.foreignCalls > 0 && roomOn(this.#world, today, this.#limit) > 0) {
      yield this.#step('somebody counts and makes a call', (world) => {
        spend(world, 'foreignCalls');
        count(world, { day: today, units: (world.counted[today] as number) + 1 });
        pay(world);
      });
    }
  }

  *#troubles(index: number, me: Worker): Moving {
    const { left } = this.#world;
    if (me.at !== 'idle' && left.crashes > 0) {
      yield this.#act(index, 'is killed', (worker, world) => {
        spend(world, 'crashes');
        forget(worker);
      });
    }
    const isUnsettled = me.at === 'reading' && me.doing === 'end';
    if ((me.at === 'working' || isUnsettled) && left.interruptions > 0) {
      yield this.#act(index, 'is asked to end', (worker, world) => {
        spend(world, 'interruptions');
        turnTo(worker, 'reading', 'release');
      });
    }
    if (me.at === 'working' && left.deadlines > 0 && me.charts.includes('todo')) {
      yield this.#act(index, 'comes to its deadline', (worker, world) => {
        spend(world, 'deadlines');
        giveUp(worker);
      });
    }
  }

  *#worker(index: number, me: Worker): Moving {
    switch (me.at) {
      case 'idle':
        return yield* this.#survey(index);
      case 'surveyed':
        return yield this.#act(index, 'lists what is stored', (worker, { stored }) => {
          worker.at = 'listed';
          const mayAdopt = worker.entry === 'takeover' || this.#flaw === 'charts of any claim';
          const isPaid = (chart: number) => mayAdopt && stored[chart];
          worker.charts = stored.map((_, chart) => (isPaid(chart) ? 'stored' : 'todo'));
        });
      case 'listed':
        return yield* this.#claim(index, me);
      case 'working':
        return yield* this.#work(index, me);
      case 'looking':
        return yield this.#look(index);
      case 'reading':
        return yield this.#read(index);
      case 'writing':
        return yield* this.#finish(index, me);
    }
  }

  /** One reading of run, lease and ledger. */
  *#survey(index: number): Moving {
    const { status, lease, left } = this.#world;
    const survey = (entry: Worker['entry']) =>
      this.#act(index, `surveys the step (${entry})`, (me, world) => {
        if (entry === 'replay') spend(world, 'replays');
        me.at = me.charts.length === 0 ? 'surveyed' : 'listed';
        me.entry = entry;
        this.#noteDay(me, world);
        me.sees = { ...SEES_NOTHING, run: true, lease: true, usage: true };
      });
    const isFree = status === 'RUNNING' && (lease.expired || lease.state === 'RELEASED');
    if (status === 'READY') yield survey('fresh');
    if (isFree) yield survey('takeover');
    if (left.replays > 0 && (isFree || status === 'FINAL')) yield survey('replay');
  }

  /** Status, lease and reservation in one commit. */
  *#claim(index: number, me: Worker): Moving {
    const { status, lease, holders } = this.#world;
    if (this.#flaw === 'status before lease' && status === 'READY' && me.sees.run) {
      yield this.#act(index, 'sets the step to RUNNING', (worker, world) => {
        const write = { ...WRITES_NOTHING, by: 0, what: 'claim', when: ['run'] } as const;
        apply(world, { ...write, status: 'RUNNING' });
        worker.sees = { ...worker.sees, run: true };
      });
      return;
    }
    const isTakeover = me.entry === 'takeover';
    const id = holders + 1;
    const keepsToken = isTakeover && this.#flaw === 'reclaim by time without a token';
    const attempt = isTakeover ? lease.attempt + (lease.expired ? 1 : 0) : 1;
    const open = me.charts.filter((chart) => chart === 'todo').length;
    const isHopeless = attempt > MAX_ATTEMPTS || open > me.room;
    const units = isHopeless ? 0 : open;
    const givenBack =
      isTakeover && this.#flaw === 'refund of what the dead reserved' ? lease.reserved.units : 0;
    const claimed: Lease = {
      token: keepsToken ? lease.token : id,
      claim: isTakeover ? lease.claim : lease.claim + 1,
      attempt,
      state: 'ACTIVE',
      expired: false,
      reserved: { day: me.day, units },
    };
    const write: Write = {
      by: id,
      what: 'claim',
      when: ['run', 'lease', ...this.#reserving(units)],
      status: 'RUNNING',
      lease: claimed,
      usage: units > 0 ? this.#counting(me, units - givenBack) : null,
      manifest: false,
    };
    yield* this.#commit(index, write, (worker, world) => {
      world.holders = id;
      Object.assign(worker, { id, token: claimed.token, claim: claimed.claim, entry: '' });
      if (isHopeless) giveUp(worker);
    });
  }

  /** Calls, puts, top-ups; nothing but a beat once two thirds of the ttl passed without one. */
  *#work(index: number, me: Worker): Moving {
    const { today, left, lease } = this.#world;
    if (me.stale) {
      const beat = { ...WRITES_NOTHING, by: me.id, what: 'beat', when: ['lease'] } as const;
      yield* this.#commit(index, { ...beat, lease: { ...lease, expired: false } });
    }
    const chart = me.charts.indexOf('todo');
    if (chart !== -1 && (!me.stale || this.#flaw === 'calls after the ttl')) {
      const isOfToday = me.reserved.day === today || this.#flaw === 'no day check';
      if (unsent(me) > 0 && isOfToday) {
        yield this.#act(index, `calls for chart ${chart}`, (worker, world) => {
          pay(world, worker, chart);
          worker.charts = worker.charts.with(chart, 'image');
        });
        if (left.stumbles > 0) {
          yield this.#act(index, `calls for chart ${chart} in vain`, (worker, world) => {
            spend(world, 'stumbles');
            pay(world, worker, chart);
          });
        }
      } else {
        yield this.#act(index, 'wants one more unit', (worker) =>
          turnTo(worker, 'reading', 'top-up'),
        );
      }
    }
    for (const [image, state] of me.charts.entries()) {
      if (state !== 'image' || (me.stale && this.#flaw !== 'puts after the ttl')) continue;
      yield this.#act(index, `stores chart ${image}`, (worker, world) => {
        worker.charts = worker.charts.with(image, 'stored');
        if (me.claim === world.lease.claim) world.stored = world.stored.with(image, true);
      });
    }
    if (me.charts.every((state) => state === 'stored' || state === 'failed')) {
      yield this.#act(index, 'has nothing left to do', (worker) => this.#publish(worker));
    }
  }

  /** The manifest's generation, *then* the lease, *then* the put on that generation. */
  #publish(me: Worker): void {
    const isSwapped = this.#flaw === 'lease re-read before the generation';
    turnTo(me, isSwapped ? 'reading' : 'looking', 'manifest');
  }

  #look(index: number): Step<World> {
    return this.#act(index, 'looks at the manifest', (me, { manifest }) => {
      // Its own put, of which it heard nothing or a no.
      if (manifest === me.id) return turnTo(me, 'writing', 'end');
      me.sees = { ...me.sees, manifest: true };
      me.at = this.#flaw === 'lease re-read before the generation' ? 'writing' : 'reading';
    });
  }

  /** Run, lease and ledger once more: what the lease says is what happened, whatever answer came. */
  #read(index: number): Step<World> {
    const { doing } = this.#world.workers[index] as Worker;
    return this.#act(index, `reads run, lease and ledger for its ${doing}`, (me, world) => {
      const { lease, status } = world;
      if (me.token === 0 || lease.token !== me.token) {
        const { charts } = me;
        forget(me);
        if (this.#flaw === 'listing of an earlier try' && doing === 'claim') me.charts = charts;
        return;
      }
      adopt(me, lease);
      if (lease.state === 'RELEASED' || (lease.state === 'DONE' && unsent(me) === 0)) {
        return forget(me);
      }
      me.sees = { ...me.sees, run: true, lease: true, usage: true };
      this.#noteDay(me, world);
      if (lease.state === 'DONE') return turnTo(me, 'writing', 'refund');
      const mustRun = doing === 'manifest' || doing === 'end';
      if (mustRun && status !== 'RUNNING' && this.#flaw !== 'settle over a reset') {
        return forget(me);
      }
      if (doing === 'top-up' && me.room === 0) giveUp(me);
      const isDone = doing === 'claim' || doing === 'beat' || (doing === 'top-up' && me.room === 0);
      if (isDone) return turnTo(me, 'working');
      const isSwapped = this.#flaw === 'lease re-read before the generation';
      me.at = doing === 'manifest' && isSwapped ? 'looking' : 'writing';
    });
  }

  /** The writes of a holder that knows what it has to know for them. */
  *#finish(index: number, me: Worker): Moving {
    const { lease } = this.#world;
    const mine = { ...WRITES_NOTHING, by: me.id, what: me.doing as Doing };
    switch (me.doing) {
      case 'top-up': {
        const before = me.reserved.day === me.day ? me.reserved.units : 0;
        const reserved = { day: me.day, units: before + 1 };
        return yield* this.#commit(index, {
          ...mine,
          when: ['lease', ...this.#reserving(1)],
          lease: { ...lease, expired: false, reserved },
          usage: this.#counting(me, 1),
        });
      }
      case 'manifest':
        return yield* this.#commit(index, {
          ...mine,
          when: this.#flaw === 'unconditional manifest' ? [] : ['manifest'],
          manifest: true,
        });
      case 'end':
        if (this.#flaw === 'unfenced settle') {
          return yield* this.#commit(index, { ...mine, when: [], status: 'FINAL' });
        }
        return yield* this.#close(index, me, { ...mine, when: ['run', 'lease'], status: 'FINAL' });
      case 'release':
        return yield* this.#close(index, me, { ...mine, when: ['lease'] });
      case 'refund':
        if (me.sees.usage && this.#refundable(me) === 0) {
          return yield this.#act(index, 'has nothing to give back any more', forget);
        }
        return yield* this.#close(index, me, { ...mine, when: ['lease'] });
    }
  }

  /** End, release or refund: with what is to be given back, or without once the ledger moved. */
  *#close(index: number, me: Worker, write: Write): Moving {
    const state = write.what === 'release' ? 'RELEASED' : 'DONE';
    const lease: Lease = { ...this.#world.lease, expired: false, state };
    const units = this.#refundable(me);
    if (units === 0 || (!me.sees.usage && write.what !== 'refund')) {
      yield* this.#commit(index, { ...write, lease });
    }
    if (units === 0) return;
    const isUnguarded = write.what === 'refund' && this.#flaw === 'refund without its guard';
    const isUnrecorded = isUnguarded || this.#flaw === 'refund that the lease does not record';
    const reserved = { ...me.reserved, units: me.sent };
    yield* this.#commit(index, {
      ...write,
      when: [...(isUnguarded ? [] : write.when), 'usage'],
      lease: isUnguarded ? null : isUnrecorded ? lease : { ...lease, reserved },
      usage: this.#counting(me, -units),
    });
  }

  #refundable(me: Worker): number {
    const isOfThatDay = me.reserved.day === me.day;
    return isOfThatDay || this.#flaw === 'refund across midnight' ? unsent(me) : 0;
  }

  #reserving(units: number): Watched[] {
    const isBlind =
      this.#flaw === 'ledger by increment' || this.#flaw === 'ledger without its version';
    return units > 0 && !isBlind ? ['usage'] : [];
  }

  /** The count of its last reading and so many more. */
  #counting({ day, room }: Worker, more: number): Units {
    const isIncrement = this.#flaw === 'ledger by increment';
    const used = isIncrement ? (this.#world.counted[day] as number) : this.#limit - room;
    return { day, units: Math.max(0, used + more) };
  }

  /** A write meets its conditions or not; and whatever it met, the answer may be lost or late. */
  *#commit(
    index: number,
    write: Write,
    sent: (me: Worker, world: World) => void = () => undefined,
  ): Moving {
    const { left, inFlight, workers } = this.#world;
    const { sees } = workers[index] as Worker;
    const { what } = write;
    const isBelieved = this.#flaw === 'no read-back';
    if (!write.when.every((document) => sees[document])) {
      yield this.#act(index, `is refused its ${what}`, (me) => {
        if (isBelieved && what !== 'manifest') forget(me);
        else this.#doubt(me, write);
      });
      return;
    }
    yield this.#act(index, `commits its ${what}`, (me, world) => {
      sent(me, world);
      apply(world, write);
      this.#succeed(me, write);
    });
    if (left.lostReplies === 0 || inFlight) return;
    yield this.#act(index, `sends its ${what} and hears nothing`, (me, world) => {
      spend(world, 'lostReplies');
      sent(me, world);
      world.inFlight = write;
      if (isBelieved) this.#succeed(me, write);
      else this.#doubt(me, write);
    });
  }

  #doubt(me: Worker, { what, lease }: Write): void {
    if (what === 'manifest') this.#publish(me);
    // Without the lease in its commit there is nothing to tell by: it tries again.
    else if (what !== 'end' || lease) turnTo(me, 'reading', what);
  }

  #succeed(me: Worker, { what, lease, usage }: Write): void {
    if (lease) {
      adopt(me, lease);
      me.stale = false;
      me.sees = { ...SEES_NOTHING, lease: true };
    }
    if (what === 'manifest') turnTo(me, 'writing', 'end');
    else if (what === 'claim' || what === 'beat' || what === 'top-up') turnTo(me, 'working');
    else if (what === 'end' && !usage && unsent(me) > 0) turnTo(me, 'reading', 'refund');
    else forget(me);
  }

  #noteDay(me: Worker, world: World): void {
    me.day = world.today;
    me.room = roomOn(world, me.day, this.#limit);
  }

  #act(index: number, label: string, act: (me: Worker, world: World) => void): Step<World> {
    return this.#step(`${'ABC'[index]} ${label}`, (world) => {
      const me = world.workers[index] as Worker;
      act(me, world);
      // What it reads anew before it uses it makes no difference: fewer states.
      if (me.at === 'working') {
        Object.assign(me, { day: 0, room: 0, sees: { ...SEES_NOTHING, lease: me.sees.lease } });
      }
    });
  }

  #step(label: string, change: (world: World) => void): Step<World> {
    const next = copyOf(this.#world);
    change(next);
    return { label, next };
  }
}

function pay(world: World, me?: Worker, chart = -1): void {
  world.paid = world.paid.with(world.today, (world.paid[world.today] as number) + 1);
  if (!me) return;
  me.sent++;
  if (me.claim === world.lease.claim && world.stored[chart]) world.paidTwice = true;
}

function unsent({ reserved, sent }: Worker): number {
  return reserved.units - sent;
}

/** A unit is sent on its own day or never. */
function adopt(me: Worker, { reserved }: Lease): void {
  if (reserved.day !== me.reserved.day) me.sent = 0;
  me.reserved = reserved;
}

function giveUp(me: Worker): void {
  me.charts = me.charts.map((chart) => (chart === 'todo' ? 'failed' : chart));
}

function turnTo(me: Worker, at: Worker['at'], doing: Worker['doing'] = ''): void {
  me.at = at;
  me.doing = doing;
}

/** The work is done, the step is lost, or the process ended. */
function forget(me: Worker): void {
  Object.assign(me, idleWorker());
}
