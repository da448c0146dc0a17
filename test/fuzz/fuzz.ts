import fc from 'fast-check';
import type { TestContext } from 'vitest';
import { tellCases } from '../support/cases.js';
import { ALL_CASES } from '../support/share.js';

/** `SEED=…` tries another thousand ways; without it a case that fails, fails again. */
const SEED = Number(process.env.SEED ?? 1);

/** Checks so many inputs, or a tenth of them, and tells how to repeat the one that fails. */
export async function fuzz<T>(
  { task }: Pick<TestContext, 'task'>,
  inputs: number,
  arbitrary: fc.Arbitrary<T>,
  check: (input: T) => void | Promise<void>,
): Promise<void> {
  const property = fc.asyncProperty(arbitrary, async (input) => check(input));
  const numRuns = ALL_CASES ? inputs : inputs / 10;
  const details = await fc.check(property, { numRuns, seed: SEED });
  tellCases(task, {
    cases: details.numRuns,
    violations: details.failed ? 1 : 0,
    seed: `SEED=${SEED}`,
  });
  if (details.failed) {
    throw new Error(fc.defaultReportMessage(details), { cause: details.errorInstance });
  }
}

/** JSON of any shape, now and then with what is hostile in JavaScript, in a path or in a log. */
export function anyJson(): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
    fc.constantFrom<unknown>(...HOSTILE),
  );
}

export const HOSTILE = [
  '__proto__',
  'constructor',
  'toString',
  '../../etc/passwd',
  '..',
  '/',
  '',
  ' ',
  '\u0000',
  '\u202e\u2028\n',
  'ключ',
  '\ud800',
  'x'.repeat(5_000),
  -1,
  1e21,
  0.1,
  null,
  [],
  {},
  [[]],
  JSON.parse('{"__proto__": 1, "constructor": {"prototype": 2}}'),
];

/** The document with some of its values, at any depth, replaced, removed, doubled or moved. */
export function damaged(documents: readonly unknown[]): fc.Arbitrary<unknown> {
  const damage = fc.record({
    at: fc.nat(),
    how: fc.constantFrom('replace', 'remove', 'rename', 'double'),
    by: anyJson(),
  });
  return fc
    .tuple(fc.constantFrom(...documents), fc.array(damage, { minLength: 1, maxLength: 4 }))
    .map(([document, damages]) =>
      damages.reduce((now: unknown, each) => spoilt(now, each), structuredClone(document)),
    );
}

interface Damage {
  readonly at: number;
  readonly how: string;
  readonly by: unknown;
}

function spoilt(document: unknown, { at, how, by }: Damage): unknown {
  const places = placesIn(document);
  const place = places[at % places.length];
  if (!place) return by;
  const { holder, key } = place;
  const value = Reflect.get(holder, key);
  if (how === 'replace') put(holder, key, by);
  else if (how === 'rename') {
    Reflect.deleteProperty(holder, key);
    // Not `String`: what has a field `toString` would throw.
    put(holder, (typeof by === 'string' ? by : JSON.stringify(by)).slice(0, 40), value);
  } else if (how === 'double' && Array.isArray(holder)) holder.push(value);
  else Reflect.deleteProperty(holder, key);
  return document;
}

/** As JSON.parse does: a field `__proto__` is a field. */
function put(holder: object, key: string, value: unknown): void {
  Object.defineProperty(holder, key, {
    value,
    configurable: true,
    enumerable: true,
    writable: true,
  });
}

function placesIn(value: unknown): { holder: object; key: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.keys(value).flatMap((key) => [
    { holder: value, key },
    ...placesIn(Reflect.get(value, key)),
  ]);
}
