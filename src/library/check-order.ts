import { isChartTemplateId } from '../contracts/ids.js';
import { ConfigError } from '../failures.js';
import type { ChartOrder, TriggerType } from './library.js';

export const TRIGGERS: readonly TriggerType[] = [
  'manual',
  'report',
  'setup',
  'analysis',
  'monitoring',
  'alert',
  'step',
];
export const THEMES = ['light', 'dark'] as const;
/** Pixels. */
export const WIDTHS = { min: 400, max: 2_048 } as const;
export const HEIGHTS = { min: 300, max: 1_920 } as const;
/** Of one order: more is a mistyped list, or a job for a script. */
export const MOST_CHARTS = 200;
/** Characters. */
export const LONGEST_NAME = 200;

/** Throws a `ConfigError` where no chart of the order could even be named. */
export function checkAddressable({ symbols, timeframes }: ChartOrder): void {
  for (const [name, list] of Object.entries({ symbols, timeframes })) {
    const isRight = isTexts(list) && list.length > 0;
    if (!isRight) throw new ConfigError(`${name}: must be a list of texts, and name at least one`);
  }
  const count = symbols.length * timeframes.length;
  if (count > MOST_CHARTS) {
    throw new ConfigError(
      `symbols, timeframes: ${count} charts at once are more than ${MOST_CHARTS}`,
    );
  }
}

/** What is wrong with all charts of an order alike, `field: message`; an order may come from anywhere. */
export function problemsOf(order: ChartOrder): string[] {
  const { chartTemplateId, indicators, theme, width, height, trigger, generatedBy, refresh } =
    order;
  const checks: readonly (readonly [boolean, string])[] = [
    [
      chartTemplateId === undefined || indicators === undefined,
      'chartTemplateId, indicators: exclude each other',
    ],
    [
      chartTemplateId === undefined || isChartTemplateId(chartTemplateId),
      `chartTemplateId: ${shown(chartTemplateId)} is no chart template id`,
    ],
    [indicators === undefined || isTexts(indicators), 'indicators: must be a list of texts'],
    [isAmong(THEMES, theme), `theme: ${shown(theme)} is not one of ${THEMES.join(', ')}`],
    [isAmong(TRIGGERS, trigger), `trigger: ${shown(trigger)} is not one of ${TRIGGERS.join(', ')}`],
    [isWithin(WIDTHS, width), `width: ${wrongSize(width, WIDTHS)}`],
    [isWithin(HEIGHTS, height), `height: ${wrongSize(height, HEIGHTS)}`],
    [
      generatedBy === undefined || isName(generatedBy),
      `generatedBy: must be a text of 1 to ${LONGEST_NAME} characters`,
    ],
    [refresh === undefined || typeof refresh === 'boolean', 'refresh: must be true or false'],
  ];
  return checks.flatMap(([isRight, problem]) => (isRight ? [] : [problem]));
}

/** Who asks for a chart, in their own words. */
export function isName(name: unknown): boolean {
  return typeof name === 'string' && name !== '' && name.length <= LONGEST_NAME;
}

function isTexts(list: unknown): boolean {
  return Array.isArray(list) && list.every((one) => typeof one === 'string');
}

function isAmong(choices: readonly unknown[], value: unknown): boolean {
  return value === undefined || choices.includes(value);
}

interface Bounds {
  readonly min: number;
  readonly max: number;
}

function isWithin({ min, max }: Bounds, value: unknown): boolean {
  return (
    value === undefined || (Number.isInteger(value) && Number(value) >= min && Number(value) <= max)
  );
}

function wrongSize(value: unknown, { min, max }: Bounds): string {
  return `${shown(value)} is not a whole number from ${min} to ${max}`;
}

function shown(value: unknown): string {
  return JSON.stringify(String(value).slice(0, 80));
}
