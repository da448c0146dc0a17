import { DRAWINGS } from './drawings.js';
import type { Example } from './example.js';
import { STUDIES } from './studies.js';

/** What Chart-IMG documents of one study or drawing. */
export interface Documented {
  readonly input: Readonly<Record<string, Example>>;
  readonly styleKeys: readonly string[];
}

/** One of the lists that a request may hold. */
export interface Catalogue {
  /** What its entries are called in messages. */
  readonly noun: 'study' | 'drawing';
  readonly entryKeys: readonly string[];
  names(): string[];
  /** `undefined`: Chart-IMG documents none of this name. */
  find(name: string): Documented | undefined;
}

/** Nothing is spelt out before a template asks: most runs look up three or four studies. */
export const CATALOGUES: Readonly<Record<'studies' | 'drawings', Catalogue>> = {
  studies: {
    noun: 'study',
    entryKeys: ['name', 'input', 'override', 'forceOverlay'],
    names: () => Object.keys(STUDIES),
    find: (name) => {
      const study = ownOf(STUDIES, name);
      return study && { input: study.input, styleKeys: styleKeys(study.override) };
    },
  },
  drawings: {
    noun: 'drawing',
    entryKeys: ['name', 'input', 'override'],
    names: () => Object.keys(DRAWINGS),
    find: (name) => {
      const drawing = ownOf(DRAWINGS, name);
      return drawing && { input: drawing.input, styleKeys: drawing.override };
    },
  },
};

/**
 * Top level of the v2 Advanced Chart body: Chart-IMG's tutorial and API change log (`shiftLeft`
 * and `shiftRight` since 2024-09, `watermark` since 2024-06).
 */
export const REQUEST_KEYS: readonly string[] = [
  'symbol',
  'interval',
  'range',
  'session',
  'timezone',
  'width',
  'height',
  'format',
  'style',
  'theme',
  'scale',
  'studies',
  'drawings',
  'override',
  'shiftLeft',
  'shiftRight',
  'watermark',
];

/** Pixels; Chart-IMG draws nothing smaller, whatever the plan. */
export const LEAST_SIZE = { width: 400, height: 300 } as const;

function styleKeys(plots: Readonly<Record<string, string>>): string[] {
  return Object.entries(plots).flatMap(([plot, styles]) =>
    styles.split(' ').map((style) => `${plot}.${style}`),
  );
}

function ownOf<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
