import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Names one process for as long as anybody may ask whether it still lives. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** When it started, in the system's own terms: a pid alone is handed out again. */
  readonly started: string;
}

/** What can be told of the process that has a pid now. */
type Finding = { readonly started: string } | 'ended' | 'unknown';

let self: ProcessIdentity | undefined;

export function thisProcess(): ProcessIdentity {
  if (!self) {
    const found = look(process.pid);
    const started = typeof found === 'object' ? found.started : 'unknown';
    self = { host: hostname(), pid: process.pid, started };
  }
  return self;
}

export function isProcessIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== 'object' || value === null) return false;
  const { host, pid, started } = value as Record<string, unknown>;
  return (
    typeof host === 'string' &&
    typeof pid === 'number' &&
    Number.isInteger(pid) &&
    pid > 0 &&
    typeof started === 'string'
  );
}

/**
 * `true` only if that process surely ended. A process of another host, or of another container
 * under the same host name, is never said to be gone, nor one that cannot be looked at: to take a
 * lock from the living is worse than to wait for the dead.
 */
export function isGone(other: ProcessIdentity): boolean {
  const me = thisProcess();
  if (other.host !== me.host) return false;
  const [boot, namespace] = other.started.split('/');
  const [myBoot, myNamespace] = me.started.split('/');
  if (namespace !== undefined && myNamespace !== undefined) {
    if (boot !== myBoot) return true;
    if (namespace !== myNamespace) return false;
  }
  if (!hasProcess(other.pid)) return true;
  const found = look(other.pid);
  if (typeof found === 'string') return found === 'ended';
  return other.started !== 'unknown' && found.started !== other.started;
}

function hasProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Linux: `<boot id>/<pid namespace>/<ticks since boot>`; elsewhere what `ps` prints. */
function look(pid: number): Finding {
  return process.platform === 'linux' ? lookOnLinux(pid) : lookByPs(pid);
}

function lookOnLinux(pid: number): Finding {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // proc(5): the second field is the command in parentheses, which may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, threads, ticks] = [fields[0], Number(fields[17]), fields[19]];
    // The main thread of a killed process is a zombie while another still ends its last rename.
    if ((state === 'Z' || state === 'X') && threads <= 1) return 'ended';
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8);
    const namespace = readlinkSync('/proc/self/ns/pid').replaceAll(/\D/g, '');
    return { started: `${boot}/${namespace}/${ticks}` };
  } catch {
    // Out of file handles, or /proc hides other users' processes: no reason to call it dead.
    return 'unknown';
  }
}

/** Whoever waits for a lock asks every few milliseconds, and each `ps` takes as long. */
const PS_IS_BELIEVED_MS = 500;
const lastPs = new Map<number, { readonly atMs: number; readonly found: Finding }>();

function lookByPs(pid: number): Finding {
  const last = lastPs.get(pid);
  if (last && performance.now() - last.atMs < PS_IS_BELIEVED_MS) return last.found;
  const found = askPs(pid);
  lastPs.set(pid, { atMs: performance.now(), found });
  return found;
}

function askPs(pid: number): Finding {
  try {
    // Where there is a /proc nobody waits for this module, which takes 5 ms of a start.
    const { execFileSync } = process.getBuiltinModule('node:child_process');
    const [state, ...started] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    })
      .trim()
      .split(/\s+/);
    if (state === undefined || started.length === 0) return 'unknown';
    return state.startsWith('Z') ? 'ended' : { started: started.join(' ') };
  } catch {
    return 'unknown';
  }
}
