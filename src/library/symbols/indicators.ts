import { nearest } from '../../chart-img/nearest.js';
import type { ChartSymbol, Indicator, JsonObject } from '../../contracts/documents.js';
import type { Validated } from '../../contracts/validate.js';

/** One entry of a Chart-IMG request's `studies`. */
export interface Study extends JsonObject {
  readonly name: string;
  readonly input?: JsonObject;
  readonly forceOverlay?: boolean;
}

/** Short names for the studies that people ask for most, with Chart-IMG's own names and inputs. */
const PRESETS: Readonly<Record<Indicator, Study>> = {
  EMA_20: ema(20),
  EMA_50: ema(50),
  EMA_200: ema(200),
  RSI: {
    name: 'Relative Strength Index',
    input: { length: 14, smoothingLine: 'SMA', smoothingLength: 14 },
    forceOverlay: false,
  },
  Volume: { name: 'Volume', forceOverlay: false },
  MACD: {
    name: 'MACD',
    input: { in_0: 12, in_1: 26, in_2: 9, in_3: 'close' },
    forceOverlay: false,
  },
  BB: { name: 'Bollinger Bands', input: { in_0: 20, in_1: 2 } },
  ATR: { name: 'Average True Range', input: { in_0: 14 }, forceOverlay: false },
};

export const INDICATORS = Object.keys(PRESETS) as readonly Indicator[];

export function isIndicator(name: string): name is Indicator {
  return Object.hasOwn(PRESETS, name);
}

/** The studies of some indicators, in their order; or, for each name that is none, why. */
export function studiesOf(names: readonly string[]): Validated<Study[]> {
  const errors = names.flatMap((name) => (isIndicator(name) ? [] : [unknownIndicator(name)]));
  if (errors.length > 0) return { ok: false, errors };
  const wanted = new Set(names);
  return { ok: true, value: [...wanted].filter(isIndicator).map(studyOf) };
}

/** In words, with the name that was likely meant. */
export function unknownIndicator(name: string): string {
  const near = nearest(name, INDICATORS);
  const hint = near === undefined ? `known are ${INDICATORS.join(', ')}` : `did you mean ${near}?`;
  return `${JSON.stringify(name.slice(0, 40))} is not an indicator; ${hint}`;
}

/** For messages: the short name of a study that is one of the presets, else its own. */
export function shortNameOf(study: { readonly name: string }): string {
  const text = JSON.stringify(study);
  return INDICATORS.find((name) => JSON.stringify(PRESETS[name]) === text) ?? study.name;
}

const DEFAULTS: Readonly<Record<ChartSymbol['assetClass'], readonly Indicator[]>> = {
  index: ['EMA_20', 'EMA_50', 'EMA_200', 'RSI', 'Volume'],
  forex: ['EMA_20', 'EMA_50', 'RSI', 'Volume'],
  crypto: ['EMA_20', 'EMA_50', 'RSI', 'Volume'],
  stock: ['EMA_20', 'EMA_50', 'EMA_200', 'RSI', 'Volume'],
  commodity: ['EMA_20', 'EMA_50', 'RSI', 'Volume'],
};

/** What is drawn of a symbol where nobody says what; the most important first. */
export function defaultsOf(assetClass: ChartSymbol['assetClass']): readonly Indicator[] {
  return DEFAULTS[assetClass];
}

function studyOf(name: Indicator): Study {
  return structuredClone(PRESETS[name]);
}

function ema(length: number): Study {
  return { name: 'Moving Average Exponential', input: { length, source: 'close', offset: 0 } };
}
