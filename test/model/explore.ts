import { shorthand } from './shorthand.js';

/** One thing that can happen in a state, and the state it leads to. */
export interface Step<State> {
  readonly label: string;
  readonly next: State;
}

/** States are plain data; objects that stand in the same place have the same keys. */
export interface Model<State> {
  readonly initial: State;
  /** Everything that can happen next. */
  steps(state: State): Iterable<Step<State>>;
  /** The broken promise, in words; `undefined` where all hold. */
  broken(state: State): string | undefined;
  /** Where the work is done; such a state must stay reachable from every other. */
  isFinal(state: State): boolean;
}

export interface Exploration {
  /** Distinct ones; when a promise is broken, those met until then. */
  readonly states: number;
  /** Everything that happened at least once: a model may keep its promises by doing nothing. */
  readonly labels: ReadonlySet<string>;
  /** The first broken promise met, by the shortest way that leads to it. */
  readonly violation: { readonly promise: string; readonly trace: readonly string[] } | undefined;
}

export const FINAL_IS_REACHABLE = 'from every state a final one can be reached';

/**
 * Walks through every reachable state, breadth first, and stops at the first broken promise. When
 * there is none, looks for a state from which no final one can be reached any more.
 */
export function explore<State>(model: Model<State>): Exploration {
  const indexOf = new Map<string, number>();
  const keyOf = shorthand();
  const parents: number[] = [];
  const labels: string[] = [];
  const happened = new Set<string>();
  const finals: number[] = [];
  const edges: Edges = { from: [], to: [] };
  let frontier: { index: number; state: State }[] = [];

  const visit = (state: State, parent: number, label: string, into: typeof frontier): number => {
    const key = keyOf(state);
    const known = indexOf.get(key);
    if (known !== undefined) return known;
    const index = parents.length;
    indexOf.set(key, index);
    parents.push(parent);
    labels.push(label);
    into.push({ index, state });
    return index;
  };
  const traceTo = (index: number): string[] => {
    const trace: string[] = [];
    for (let at = index; at > 0; at = parents[at] as number) trace.unshift(labels[at] as string);
    return trace;
  };
  const found = (promise: string, index: number): Exploration => ({
    states: parents.length,
    labels: happened,
    violation: { promise, trace: traceTo(index) },
  });

  visit(model.initial, -1, '', frontier);
  while (frontier.length > 0) {
    const following: typeof frontier = [];
    for (const { index, state } of frontier) {
      const promise = model.broken(state);
      if (promise !== undefined) return found(promise, index);
      if (model.isFinal(state)) finals.push(index);
      for (const { label, next } of model.steps(state)) {
        happened.add(label);
        edges.from.push(index);
        edges.to.push(visit(next, index, label, following));
      }
    }
    frontier = following;
  }
  const stranded = firstThatCannotReach(finals, edges, parents.length);
  if (stranded !== undefined) return found(FINAL_IS_REACHABLE, stranded);
  return { states: parents.length, labels: happened, violation: undefined };
}

interface Edges {
  readonly from: number[];
  readonly to: number[];
}

/** Walks the edges backwards from the goals; the first index that was not met. */
function firstThatCannotReach(goals: number[], { from, to }: Edges, count: number) {
  // The predecessors of n are sources[starts[n] .. starts[n + 1]]: lists of lists would not fit.
  const starts = new Uint32Array(count + 1);
  for (const target of to) starts[target + 1] = (starts[target + 1] as number) + 1;
  for (let n = 0; n < count; n++) starts[n + 1] = (starts[n + 1] as number) + (starts[n] as number);
  const sources = new Uint32Array(from.length);
  const filled = starts.slice();
  for (const [edge, target] of to.entries()) {
    const place = filled[target] as number;
    sources[place] = from[edge] as number;
    filled[target] = place + 1;
  }

  const met = new Uint8Array(count);
  for (const goal of goals) met[goal] = 1;
  const queue = [...goals];
  for (let state = queue.pop(); state !== undefined; state = queue.pop()) {
    for (const before of sources.subarray(starts[state], starts[state + 1])) {
      if (met[before] === 1) continue;
      met[before] = 1;
      queue.push(before);
    }
  }
  const index = met.indexOf(0);
  return index === -1 ? undefined : index;
}
