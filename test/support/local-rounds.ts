import type { Write } from '../../src/documents/document-store.js';

export const OBJECT = 'charts/run/step:1/object.txt';

/** The documents of one round, which belong together. */
export const ROUND_PATHS = ['runs/run', 'runs/run/leases/step:1', 'usage/acc-1'] as const;

export function roundWrites(round: number): Write[] {
  const [run, lease, usage] = ROUND_PATHS;
  return [
    { kind: 'patch', path: run, fields: [[['steps', 'step:1', 'round'], round]] },
    { kind: 'put', path: lease, data: { round } },
    { kind: 'put', path: usage, data: { round } },
  ];
}
