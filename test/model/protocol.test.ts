import { afterAll, describe, expect, it } from 'vitest';
import { tellCases } from '../support/cases.js';
import { ALL_CASES, share } from '../support/share.js';
import { explore, FINAL_IS_REACHABLE, type Model } from './explore.js';
import { FLAWS } from './flaws.js';
import { protocol } from './protocol.js';
import { SCENARIOS, SLEEPY } from './scenarios.js';
import { shorthand } from './shorthand.js';
import { PROMISES } from './world.js';

/** For the name of what only all scenarios together can show. */
const EVERY_SCENARIO = ALL_CASES ? '' : ' (SKIPPED: shown with PROVE=1 alone)';

describe('the explorer', () => {
  /** Numbers, and how to come from one to the next. */
  const numbers = (next: (n: number) => number[], rest: Partial<Model<number>>): Model<number> => ({
    initial: 1,
    steps: (n) => next(n).map((to) => ({ label: `${n} to ${to}`, next: to })),
    broken: () => undefined,
    isFinal: () => true,
    ...rest,
  });

  it('tells states apart by every value and its place', () => {
    const keyOf = shorthand();
    const states = [[1], ['1'], [true], [null], [[1]], [], [[], [1]], [[1], []], { a: 1, b: [2] }];
    expect(new Set(states.map(keyOf)).size).toBe(states.length);
    expect(keyOf({ a: 1, b: [2] })).toBe(keyOf({ a: 1, b: [2] }));
  });

  it('meets every state once and every step', () => {
    const circle = explore(numbers((n) => [(n % 5) + 1, 1], {}));
    expect(circle.states).toBe(5);
    expect(circle.labels.size).toBe(9);
    expect(circle.violation).toBeUndefined();
  });

  it('finds a shortest trace to a broken promise, though a longer one is listed first', () => {
    const model = numbers((n) => (n < 20 ? [n + 1, n * 3] : []), {
      broken: (n) => (n === 9 ? 'never nine' : undefined),
    });
    expect(explore(model).violation).toEqual({
      promise: 'never nine',
      trace: ['1 to 3', '3 to 9'],
    });
  });

  it('finds the state from which no final one can be reached, a dead end or a circle', () => {
    const ways: Record<number, number[]> = { 1: [2, 3], 2: [1, 4], 3: [5], 5: [6], 6: [5], 4: [] };
    const model = numbers((n) => ways[n] ?? [], { isFinal: (n) => n === 4 });
    expect(explore(model).violation).toEqual({ promise: FINAL_IS_REACHABLE, trace: ['1 to 3'] });
    const mended = numbers((n) => (n === 6 ? [1] : (ways[n] ?? [])), { isFinal: (n) => n === 4 });
    expect(explore(mended).violation).toBeUndefined();
  });
});

describe('the protocol', () => {
  const table: string[] = [];
  const happened = new Set<string>();
  let states = 0;
  afterAll(() => console.log(['', ...table, ''].join('\n')));

  for (const [name, scenario] of share(Object.entries(SCENARIOS), 5)) {
    it(`keeps every promise: ${name}`, ({ task }) => {
      const result = explore(protocol(scenario));
      tellCases(task, { cases: result.states });
      expect(result.violation).toBeUndefined();
      states += result.states;
      for (const label of result.labels) happened.add(withoutNames(label));
      table.push(`${String(result.states).padStart(8)} states  ${name}: safe`);
    });
  }

  it.skipIf(!ALL_CASES)(
    `was explored in at least 400,000 states, and nothing in it never happened${EVERY_SCENARIO}`,
    () => {
      table.push(`${String(states).padStart(8)} states  in all`, '');
      expect(states).toBeGreaterThanOrEqual(400_000);
      expect([...happened].sort()).toEqual(EVERYTHING);
    },
  );

  it('pays at most a chart twice for a sleeper between its check and its send', () => {
    const model = protocol(SLEEPY, 'calls after the ttl');
    const broken = (world: typeof model.initial) => {
      const promise = model.broken(world);
      return promise === PROMISES.paidOnce ? undefined : promise;
    };
    const result = explore({ ...model, broken });
    expect(result.violation).toBeUndefined();
    table.push(
      `${String(result.states).padStart(8)} states  a call that leaves after the ttl: ledger, manifest and settle hold`,
      '',
    );
  });

  for (const { flaw, breaks, needs, scenario } of share(FLAWS, 5)) {
    it(`needs no ‘${flaw}’: it breaks ‘${breaks}’`, () => {
      expect(explore(protocol(scenario)).violation).toBeUndefined();
      expect(explore(protocol({ ...scenario, [needs]: 0 }, flaw)).violation).toBeUndefined();

      const { states, violation } = explore(protocol(scenario, flaw));
      expect(violation?.promise).toBe(breaks);
      const trace = violation?.trace ?? [];
      table.push(`${flaw}: breaks ‘${breaks}’ (${states} states, ${trace.length} steps)`);
      table.push(...trace.map((step) => `      ${step}`));
    });
  }
});

/** `A stores chart 1` and `B stores chart 0` are one thing. */
function withoutNames(label: string): string {
  return label.replace(/^[ABC] /, '').replace(/ chart \d/, ' a chart');
}

const WRITES = ['beat', 'claim', 'end', 'manifest', 'refund', 'release', 'top-up'];
const EVERYTHING = [
  ...WRITES.flatMap((what) => [
    `commits its ${what}`,
    `is refused its ${what}`,
    `sends its ${what} and hears nothing`,
    `reads run, lease and ledger for its ${what}`,
    `the ${what} arrives after all`,
  ]),
  'calls for a chart',
  'calls for a chart in vain',
  'comes to its deadline',
  'has nothing left to do',
  'has nothing to give back any more',
  'is asked to end',
  'is killed',
  'lists what is stored',
  'looks at the manifest',
  'midnight',
  'somebody counts and makes a call',
  'somebody sets the step to READY',
  'somebody writes the run',
  'stores a chart',
  'surveys the step (fresh)',
  'surveys the step (replay)',
  'surveys the step (takeover)',
  'the lease expires',
  'wants one more unit',
].sort();
