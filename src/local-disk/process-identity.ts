import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Names one process for as long as anybody may ask whether it still lives. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** When it started, in the system's own terms: a pid alone is handed out again. */
  readonly started: string;
}

let self: ProcessIdentity | undefined;

export function thisProcess(): ProcessIdentity {
  self ??= { host: hostname(), pid: process.pid, started: startOf(process.pid) ?? 'unknown' };
  return self;
}

export function isProcessIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== 'object' || value === null) return false;
  const { host, pid, started } = value as Record<string, unknown>;
  return typeof host === 'string' && Number.isInteger(pid) && typeof started === 'string';
}

/**
 * `true` only if that process surely ended. A process of another host, or of another container
 * under the same host name, is never said to be gone: to take a lock from the living is worse
 * than to wait for the dead.
 */
export function isGone(other: ProcessIdentity): boolean {
  const me = thisProcess();
  if (other.host !== me.host) return false;
  const [boot, namespace] = other.started.split('/');
  const [myBoot, myNamespace] = me.started.split('/');
  if (myNamespace === undefined || namespace === undefined) return goneWithoutProc(other);
  if (boot !== myBoot) return true;
  if (namespace !== myNamespace) return false;
  return startOf(other.pid) !== other.started;
}

/** Linux: `<boot id>/<pid namespace>/<ticks since boot>`; elsewhere what `ps` prints. */
function startOf(pid: number): string | undefined {
  return process.platform === 'linux' ? startOnLinux(pid) : startByPs(pid);
}

function startOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // proc(5): the second field is the command in parentheses, which may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, ticks] = [fields[0], fields[19]];
    if (state === 'Z' || state === 'X') return undefined;
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8);
    const namespace = readlinkSync('/proc/self/ns/pid').replaceAll(/\D/g, '');
    return `${boot}/${namespace}/${ticks}`;
  } catch {
    return undefined;
  }
}

function startByPs(pid: number): string | undefined {
  try {
    const [state, ...started] = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    })
      .trim()
      .split(/\s+/);
    return state === undefined || state.startsWith('Z') ? undefined : started.join(' ');
  } catch {
    return undefined;
  }
}

function goneWithoutProc(other: ProcessIdentity): boolean {
  try {
    process.kill(other.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  return other.started !== 'unknown' && startOf(other.pid) !== other.started;
}
