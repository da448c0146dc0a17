import { setTimeout as sleep } from 'node:timers/promises';
import type { CliProcess, Ended } from './cli-run.js';
import type { CallName } from './firestore-call-names.js';
import type { GcpScene } from './gcp-step-scene.js';

/** One request of a step of three charts, done one after the other. */
export type Point =
  | { readonly to: 'Firestore'; readonly name: CallName; readonly nth: number }
  | {
      readonly to: 'Storage';
      readonly name: 'list' | 'look' | 'download' | 'put';
      readonly nth: number;
    };

/** Later than an impatient sender waits. */
const LATE_MS = 1_600;

/** Every request of the step that leaves the process, in order; heartbeats apart. */
export const REQUESTS: readonly Point[] = [
  { to: 'Firestore', name: 'create', nth: 1 },
  { to: 'Firestore', name: 'read', nth: 1 },
  { to: 'Storage', name: 'list', nth: 1 },
  { to: 'Firestore', name: 'claim', nth: 1 },
  { to: 'Storage', name: 'put', nth: 1 },
  { to: 'Storage', name: 'put', nth: 2 },
  { to: 'Storage', name: 'put', nth: 3 },
  { to: 'Storage', name: 'look', nth: 1 },
  { to: 'Firestore', name: 'read', nth: 2 },
  { to: 'Storage', name: 'put', nth: 4 },
  { to: 'Firestore', name: 'settle', nth: 1 },
];

export type PointName =
  | `${CallName} ${number}`
  | `${Extract<Point, { to: 'Storage' }>['name']} ${number}`;

/** `put 4`: a name is asked of one server only. */
export function pointNamed(name: PointName): Point {
  const [kind, nth] = name.split(' ') as [Point['name'], string];
  return kind === 'look' || kind === 'download' || kind === 'put' || kind === 'list'
    ? { to: 'Storage', name: kind, nth: Number(nth) }
    : { to: 'Firestore', name: kind, nth: Number(nth) };
}

/**
 * Kills the process at a request: `before` the server sees it, which it then never does, or once it
 * was `applied` and nothing of the answer was sent. Resolves when the process is gone.
 */
export async function killAt(
  { proxy, storage }: GcpScene,
  process: CliProcess,
  point: Point,
  when: 'before' | 'applied',
): Promise<Ended> {
  const hook = () => {
    process.kill('SIGKILL');
    return process.ended;
  };
  if (point.to === 'Firestore') {
    const end = when === 'before' ? 'lost' : 'cut';
    proxy.at(point.name, point.nth, { [when]: hook, end });
  } else {
    const fault = { act: 'hook', when: when === 'before' ? when : 'after', hook } as const;
    storage.faults.add({ kind: point.name, nth: point.nth, fault });
  }
  return process.ended;
}

/**
 * Stops the process at a request, and the request too: `before` the server sees it, or with its
 * answer on the way. Resolves when that is done, with what wakes both.
 */
export function stopAt(
  { proxy, storage }: GcpScene,
  process: CliProcess,
  point: Point,
  when: 'before' | 'applied',
): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const hook = async () => {
      process.kill('SIGSTOP');
      await new Promise<void>((go) => {
        resolve(() => {
          go();
          process.kill('SIGCONT');
        });
      });
    };
    if (point.to === 'Firestore') proxy.at(point.name, point.nth, { [when]: hook });
    else {
      const fault = { act: 'hook', when: when === 'before' ? when : 'after', hook } as const;
      storage.faults.add({ kind: point.name, nth: point.nth, fault });
    }
    void process.ended.then(({ exitCode, stderr }) =>
      reject(new Error(`ended without ${point.name} ${point.nth}: ${exitCode} ${stderr}`)),
    );
  });
}

/**
 * - `cut`: it is applied, and the connection is destroyed instead of its reply;
 * - `hang`: it is applied, and its reply never comes;
 * - `lost`: it is never applied, and the connection is destroyed;
 * - `late`: it is applied when its sender has given it up.
 */
export type Spoiling = 'cut' | 'hang' | 'lost' | 'late';

/** Resolves when nothing of the request can come any more. */
export async function spoil(
  { proxy, storage }: GcpScene,
  { to, name, nth }: Point,
  how: Spoiling,
): Promise<void> {
  if (to === 'Firestore') {
    const number = proxy.count(name) + nth;
    proxy.at(name, nth, how === 'late' ? { before: () => sleep(LATE_MS) } : { end: how });
    return how === 'late' ? proxy.answered(name, number) : undefined;
  }
  await new Promise<void>((resolve) => {
    const late = () => sleep(LATE_MS).then(() => void setTimeout(resolve, 10));
    const faults = {
      cut: { act: 'close', when: 'after' },
      hang: { act: 'hang', when: 'after' },
      lost: { act: 'close', when: 'before' },
      late: { act: 'hook', when: 'before', hook: late },
    } as const;
    storage.faults.add({ kind: name, nth, fault: faults[how] });
    if (how !== 'late') resolve();
  });
}
