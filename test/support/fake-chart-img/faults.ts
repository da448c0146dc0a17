import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What happens to one request instead of what should; each can be written as JSON. */
export type Fault =
  | {
      readonly act: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string | readonly string[]>>;
      readonly body?: string;
      /** Of `body`; `utf8` unless said otherwise. */
      readonly encoding?: BufferEncoding;
    }
  /** Byte by byte as given, head included, and then as `end` says. */
  | {
      readonly act: 'raw';
      readonly body: string;
      /** `latin1` unless said otherwise. */
      readonly encoding?: BufferEncoding;
      readonly end: 'close' | 'reset' | 'keep';
    }
  /** No byte of an answer: the connection is closed, or stays open until the caller has enough. */
  | { readonly act: 'close' | 'hang' }
  /** A chart as it should be, later. */
  | { readonly act: 'delay'; readonly ms: number }
  /** The chart breaks off in its middle. */
  | { readonly act: 'cut' }
  /** Some bytes of a body again and again, for as long as somebody listens. */
  | {
      readonly act: 'endless';
      readonly status: number;
      readonly chunk: string;
      readonly everyMs: number;
    };

export interface FaultRule {
  /** Only requests with this key. */
  readonly apiKey?: string;
  /** The first request that it meets, counted from now: 1 unless said otherwise. */
  readonly nth?: number;
  /** How many from there on: 1 unless said otherwise. */
  readonly times?: number | 'forever';
  readonly fault: Fault;
}

/** Faults by request; the first rule that is due wins. */
export class Faults {
  #rules: { readonly rule: FaultRule; seen: number }[] = [];

  add(rule: FaultRule): void {
    this.#rules.push({ rule, seen: 0 });
  }

  clear(): void {
    this.#rules = [];
  }

  /** For the request that just arrived. */
  next(apiKey: string): Fault | undefined {
    const concerned = this.#rules.filter(({ rule }) => (rule.apiKey ?? apiKey) === apiKey);
    for (const entry of concerned) entry.seen++;
    return concerned.find(({ rule, seen }) => isDue(rule, seen))?.rule.fault;
  }
}

function isDue({ nth = 1, times = 1 }: FaultRule, seen: number): boolean {
  return seen >= nth && (times === 'forever' || seen < nth + times);
}

type Misbehaviour = Exclude<Fault, { act: 'delay' | 'cut' }>;

/** Does it. Ends when the connection does, for those that have no end of their own. */
export async function misbehave(
  response: ServerResponse,
  fault: Misbehaviour,
  onSent: () => void,
): Promise<void> {
  const { socket } = response;
  if (!socket) return;
  switch (fault.act) {
    case 'answer': {
      const body = Buffer.from(fault.body ?? '', fault.encoding);
      // Node refuses to send a body where there can be none; a raw answer can.
      response.writeHead(fault.status, {
        ...(fault.status === 204 || fault.status === 304 ? {} : { 'content-length': body.length }),
        ...(fault.headers as Record<string, string | string[]>),
      });
      response.end(body);
      return;
    }
    case 'raw': {
      const bytes = Buffer.from(fault.body, fault.encoding ?? 'latin1');
      if (fault.end === 'keep') socket.write(bytes);
      else if (fault.end === 'close') socket.end(bytes);
      else socket.write(bytes, () => socket.resetAndDestroy());
      return;
    }
    case 'close':
      socket.destroy();
      return;
    case 'hang':
      return;
    case 'endless': {
      response.writeHead(fault.status, { 'content-type': 'image/png' });
      const chunk = Buffer.from(fault.chunk, 'latin1');
      while (!response.destroyed) {
        const hasRoom = response.write(chunk);
        onSent();
        if (fault.everyMs > 0) await sleep(fault.everyMs);
        else if (!hasRoom) await drained(response);
      }
      return;
    }
    default:
      fault satisfies never;
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.on('drain', go).on('close', go);
  });
}
