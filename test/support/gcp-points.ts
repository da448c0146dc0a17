import type { CliProcess } from './cli-run.js';
import type { CallName } from './firestore-proxy.js';
import type { GcpScene } from './gcp-scene.js';

/** One request of a step of three charts, done one after the other. */
export type Point =
  | { readonly to: 'Firestore'; readonly name: CallName; readonly nth: number }
  | { readonly to: 'Storage'; readonly name: 'list' | 'look' | 'put'; readonly nth: number };

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
  const found = REQUESTS.find((point) => `${point.name} ${point.nth}` === name);
  if (!found) throw new Error(`no request of the step is ${name}`);
  return found;
}

/**
 * Does something at a request, which is waited for: `before` the server sees it, or once it is
 * `applied` and nothing of the answer was sent. Resolves when that is done; rejects if the process
 * ends without coming there.
 */
export async function at(
  { proxy, storage }: GcpScene,
  process: CliProcess,
  point: Point,
  when: 'before' | 'applied',
  act: () => unknown,
): Promise<void> {
  const done = new Promise<void>((resolve, reject) => {
    const hook = async () => {
      await act();
      resolve();
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
  await done;
}

/**
 * Spoils one request: its reply is `cut` or made to `hang` once the server has applied it, or it is
 * `lost` on its way there.
 */
export function spoil({ proxy, storage }: GcpScene, point: Point, how: 'cut' | 'hang' | 'lost') {
  if (point.to === 'Firestore') proxy.at(point.name, point.nth, { end: how });
  else {
    const when = how === 'lost' ? 'before' : 'after';
    const fault = { act: how === 'hang' ? 'hang' : 'close', when } as const;
    storage.faults.add({ kind: point.name, nth: point.nth, fault });
  }
}
