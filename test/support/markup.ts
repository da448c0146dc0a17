/** What a page of ours is made of, as a strict reader sees it. */
export interface Markup {
  /** `img src width height alt` for each element, in order; line-break hints (`wbr`) left out. */
  readonly skeleton: string[];
  /** `[element, attribute, value]`. */
  readonly attributes: [string, string, string][];
  /** All text outside the style sheet, entities resolved. */
  readonly text: string;
}

const TOKEN =
  /<!doctype html>|<style>[^<]*<\/style>|<(?<close>\/?)(?<tag>[a-z][a-z0-9]*)(?<attributes>(?: [a-z-]+="[^"<>]*")*)>|(?<text>[^<]+)/y;
const VOID = new Set(['meta', 'link', 'img', 'wbr']);

/**
 * Reads the small part of HTML that the report is written in, and throws at anything else: an
 * unquoted attribute, a stray `<`, an element that is not closed where it should be.
 */
export function readMarkup(page: string): Markup {
  const skeleton: string[] = [];
  const attributes: Markup['attributes'] = [];
  const open: string[] = [];
  let text = '';
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < page.length; ) {
    const at = TOKEN.lastIndex;
    const groups = TOKEN.exec(page)?.groups;
    if (!groups) throw new Error(`not our markup: ${page.slice(at, at + 80)}`);
    const { close, tag, attributes: list = '', text: words } = groups;
    text += resolved(words ?? '');
    if (tag === undefined) {
      if (page.startsWith('<style', at)) skeleton.push('style');
    } else if (close) {
      const last = open.pop();
      if (last !== tag) throw new Error(`</${tag}> closes <${last}>`);
    } else {
      if (!VOID.has(tag)) open.push(tag);
      const found = [...list.matchAll(/ ([a-z-]+)="([^"]*)"/g)];
      for (const [, name = '', value = ''] of found) attributes.push([tag, name, resolved(value)]);
      if (tag !== 'wbr') skeleton.push([tag, ...found.map(([, name]) => name)].join(' '));
    }
  }
  if (open.length > 0) throw new Error(`never closed: ${open.join(', ')}`);
  return { skeleton, attributes, text };
}

/** Entities as the report writes them; a raw `&` would be one that it did not write. */
function resolved(text: string): string {
  return text.replaceAll(/&(#\d+;)?/g, (entity, code?: string) => {
    if (code === undefined) throw new Error(`a raw ampersand: ${text}`);
    return String.fromCharCode(Number.parseInt(entity.slice(2), 10));
  });
}
