import {
  type ChartNeeds,
  largestPlan,
  mostOf,
  type PlanName,
  smallestPlanFor,
} from '../accounts/plans.js';
import { isJsonObject, type JsonObject } from '../contracts/documents.js';
import { childPath } from '../contracts/json-path.js';
import { needsOf } from './chart-needs.js';
import { nearest, nearestName } from './nearest.js';
import {
  CATALOGUES,
  type Catalogue,
  type Documented,
  LEAST_SIZE,
  REQUEST_KEYS,
} from './parameters/documented.js';

/** Each finding is `path: message`, the path being one in the template. */
export interface TemplateCheck {
  /** Chart-IMG would surely refuse the chart: asking would waste a call. */
  readonly errors: readonly string[];
  /** The chart may come out otherwise than was meant. */
  readonly warnings: readonly string[];
}

/**
 * Pure, and total: whatever JSON comes, nothing is thrown. Names of studies and drawings, sizes and
 * counts are what Chart-IMG refuses (422, 403). Keys and values that it does not know it mostly
 * passes over, and its documentation shows examples rather than all there is: these are warnings.
 * `plansAtHand` empty: an account names no plan, or there is none, so nobody's limits are known.
 */
export function checkTemplate(template: unknown, plansAtHand: readonly PlanName[]): TemplateCheck {
  const { chartImgSymbolTemplate, request } = isJsonObject(template) ? template : {};
  const found = new Findings();
  if (!isString(chartImgSymbolTemplate) || !chartImgSymbolTemplate.includes('{symbol}')) {
    // Every flow run would get the same symbol's chart, or none.
    found.error('chartImgSymbolTemplate', () => 'must hold {symbol}, as in BINANCE:{symbol}');
  }
  if (!isJsonObject(request)) {
    found.error('request', () => 'must be an object');
    return found.check();
  }
  checkKeys(request, 'request', REQUEST_KEYS, found);
  checkSize(request, found);
  for (const field of ['studies', 'drawings'] as const) {
    const list = request[field];
    if (!Array.isArray(list)) continue;
    for (const [index, entry] of list.entries()) {
      checkEntry(entry, `request.${field}[${index}]`, CATALOGUES[field], found);
    }
  }
  checkLimits(request, plansAtHand, found);
  return found.check();
}

function checkEntry(entry: unknown, path: string, catalogue: Catalogue, found: Findings): void {
  if (!isJsonObject(entry)) {
    found.error(path, () => 'must be an object');
    return;
  }
  checkKeys(entry, path, catalogue.entryKeys, found);
  const { name, input, override } = entry;
  if (!isString(name) || name === '') {
    found.error(`${path}.name`, () => 'is required');
    return;
  }
  const documented = catalogue.find(name);
  if (!documented) {
    found.error(`${path}.name`, () => {
      const near = nearestName(name, catalogue.names());
      return `${quoted(name)} is not a ${catalogue.noun} of Chart-IMG${didYouMean(near)}`;
    });
    return;
  }
  if (isJsonObject(input)) checkInput(input, `${path}.input`, documented, found);
  if (isJsonObject(override)) checkKeys(override, `${path}.override`, documented.styleKeys, found);
}

/** Only what the examples show is known, and `source` for one works where none shows it: warnings. */
function checkInput(
  input: JsonObject,
  path: string,
  { input: examples }: Documented,
  found: Findings,
): void {
  checkKeys(input, path, Object.keys(examples), found);
  for (const [key, value] of Object.entries(input)) {
    const example = Object.hasOwn(examples, key) ? examples[key] : undefined;
    if (example === undefined || typeof value === typeof example) continue;
    found.warning(child(path, key), () => {
      return `is ${typeName(value)}, where Chart-IMG's example has ${JSON.stringify(example)}`;
    });
  }
}

/** Unknown keys, with what was likely meant, or with all there are where these are few. */
function checkKeys(
  object: JsonObject,
  path: string,
  known: readonly string[],
  found: Findings,
): void {
  for (const key of Object.keys(object)) {
    if (known.includes(key)) continue;
    found.warning(child(path, key), () => {
      const near = nearest(key, known);
      return `is not a known key${near === undefined ? choiceOf(known) : didYouMean(near)}`;
    });
  }
}

function checkSize(request: JsonObject, found: Findings): void {
  for (const side of ['width', 'height'] as const) {
    const pixels = request[side];
    const least = LEAST_SIZE[side];
    // What is no number at all is the schema's to say.
    if (typeof pixels === 'number' && pixels < least) {
      found.error(`request.${side}`, () => `${pixels} is less than ${least}, the least there is`);
    }
  }
}

/** One respect in which a request is more than a plan draws. */
export interface Excess {
  readonly need: keyof ChartNeeds;
  /** In the template. */
  readonly path: string;
  readonly asked: number;
  readonly most: number;
}

/** Pure, and total: nothing where the request fits the plan, or is no request. */
export function excessOf(request: unknown, plan: PlanName): Excess[] {
  if (!isJsonObject(request)) return [];
  const needs = needsOf(request);
  const most = mostOf(plan);
  const { studies } = request;
  const list = Array.isArray(studies) && studies.length > 0 ? 'studies' : 'drawings';
  const paths = { width: 'request.width', height: 'request.height', parameters: `request.${list}` };
  return (['width', 'height', 'parameters'] as const)
    .filter((need) => needs[need] > most[need])
    .map((need) => ({ need, path: paths[need], asked: needs[need], most: most[need] }));
}

/** The largest plan at hand decides; where none is known, what no plan at all draws is a doubt. */
function checkLimits(request: JsonObject, plansAtHand: readonly PlanName[], found: Findings): void {
  const largest = largestPlan(plansAtHand);
  const plan = largest ?? 'ENTERPRISE';
  const needs = needsOf(request);
  const enough = smallestPlanFor(needs);
  const limit = largest
    ? `plan ${plan}, the largest at hand; ${enough ? `plan ${enough} would do` : 'no plan would do'}`
    : `plan ${plan}, the largest there is`;
  const say = (path: string, message: () => string) =>
    largest ? found.error(path, message) : found.warning(path, message);
  for (const { need, path, asked, most } of excessOf(request, plan)) {
    say(path, () =>
      need === 'parameters'
        ? `${asked} studies and drawings are more than the ${most} of ${limit}`
        : `${asked} is more than the ${most} pixels of ${limit}`,
    );
  }
}

/** A template may be as large as its document: of each kind this many are spelt out, the rest counted. */
const SHOWN_MAX = 20;

class Findings {
  readonly #errors = new Shortlist();
  readonly #warnings = new Shortlist();

  error(path: string, message: () => string): void {
    this.#errors.add(path, message);
  }

  warning(path: string, message: () => string): void {
    this.#warnings.add(path, message);
  }

  check(): TemplateCheck {
    return { errors: this.#errors.lines(), warnings: this.#warnings.lines() };
  }
}

class Shortlist {
  readonly #shown: string[] = [];
  #more = 0;

  add(path: string, message: () => string): void {
    if (this.#shown.length < SHOWN_MAX) this.#shown.push(`${path}: ${message()}`);
    else this.#more += 1;
  }

  lines(): string[] {
    return this.#more > 0
      ? [...this.#shown, `request: ${this.#more} more are not shown`]
      : this.#shown;
  }
}

/** Characters of a key or a name that a message shows. */
const WORD_MAX = 60;

/** Also without what breaks a line or speaks to a terminal, of which JSON escapes only a part. */
function cut(word: string): string {
  const characters = [...word.slice(0, 2 * WORD_MAX + 2)];
  const shown = characters.length > WORD_MAX ? [...characters.slice(0, WORD_MAX), '…'] : characters;
  return shown.join('').replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '\uFFFD');
}

function child(path: string, key: string): string {
  return childPath(path, cut(key));
}

function quoted(word: string): string {
  return JSON.stringify(cut(word));
}

function didYouMean(near: string | undefined): string {
  return near === undefined ? '' : `; did you mean ${near}?`;
}

/** More than these are not read by anybody. */
const CHOICE_MAX = 10;

function choiceOf(known: readonly string[]): string {
  if (known.length === 0) return '; none is known here';
  const shown = known.slice(0, CHOICE_MAX).join(', ');
  return `; known are ${shown}${known.length > CHOICE_MAX ? ', …' : ''}`;
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return isJsonObject(value) ? 'an object' : `a ${typeof value}`;
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}
