import { type EndingSignal, SIGNAL_EXIT_CODES } from './outcome-view.js';

/** Where signals come from: the process, or a stand-in. */
export interface SignalSource {
  on(signal: EndingSignal, listener: () => void): unknown;
  off(signal: EndingSignal, listener: () => void): unknown;
}

export interface Interruption {
  readonly signal: AbortSignal;
  /** The first signal that came. */
  readonly cause: () => EndingSignal | undefined;
  /** Stops listening. */
  dispose(): void;
}

/**
 * The first SIGINT or SIGTERM asks the run to give its step back; the second ends the process at
 * once: the lease then expires by itself.
 */
export function listenForInterruption(
  source: SignalSource,
  say: (line: string) => void,
  endNow: (exitCode: number) => void,
): Interruption {
  const controller = new AbortController();
  let cause: EndingSignal | undefined;
  const listenerFor = (signal: EndingSignal) => () => {
    if (cause !== undefined) return endNow(SIGNAL_EXIT_CODES[signal]);
    cause = signal;
    say(`${signal}: ending, and giving back what was taken; once more to end at once`);
    controller.abort();
  };
  const listeners = (Object.keys(SIGNAL_EXIT_CODES) as EndingSignal[]).map(
    (signal) => [signal, listenerFor(signal)] as const,
  );
  for (const [signal, listener] of listeners) source.on(signal, listener);
  return {
    signal: controller.signal,
    cause: () => cause,
    dispose: () => {
      for (const [signal, listener] of listeners) source.off(signal, listener);
    },
  };
}
