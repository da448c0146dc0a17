import type { Source } from './source.js';

const DAY_MS = 86_400_000;

/** How long a chart's picture is kept, in milliseconds; what is wrong is added to the source's problems. */
export function retentionMs(source: Source): number {
  const days = source.number(source.env.CHARTS_RETENTION_DAYS, {
    name: 'CHARTS_RETENTION_DAYS',
    fallback: 60,
    min: 0.001,
    max: 36_500,
  });
  return days * DAY_MS;
}
