/** What may stand in a template: text is escaped, `Html` is not, what is absent leaves nothing. */
export type Part = Html | string | number | undefined | readonly Part[];

/**
 * Markup that is ready for a page. It is kept in pieces up to the end: one joined string would
 * store every picture at two bytes a character as soon as one dash or × stands beside it.
 */
export class Html {
  readonly pieces: readonly string[];

  private constructor(pieces: readonly string[]) {
    this.pieces = pieces;
  }

  /** For text that is ours or cannot hold markup (a style sheet, base64); it is not escaped. */
  static trusted(text: string): Html {
    return new Html([text]);
  }

  /** Used by the `html` tag, whose literal parts are the program's own words. */
  static fromTemplate(literals: readonly string[], parts: readonly Part[]): Html {
    return new Html(literals.flatMap((literal, index) => [literal, ...piecesOf(parts[index])]));
  }

  /** UTF-8. */
  toBuffer(): Buffer {
    const sizes = this.pieces.map((piece) => Buffer.byteLength(piece));
    const buffer = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + size, 0));
    let at = 0;
    for (const piece of this.pieces) at += buffer.write(piece, at);
    return buffer;
  }
}

/** A template whose parts are escaped unless they are `Html`. Attributes have to be double-quoted. */
export function html(literals: TemplateStringsArray, ...parts: Part[]): Html {
  return Html.fromTemplate(literals, parts);
}

/** Text that is text in an element and in a quoted attribute alike. */
export function escapeText(text: string): string {
  // A control character has no place in HTML: NUL is dropped by parsers, the others are invisible.
  return text
    .replaceAll(/(?![\t\n])\p{Cc}/gu, '\uFFFD')
    .replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function piecesOf(part: Part): readonly string[] {
  if (part === undefined) return [];
  if (part instanceof Html) return part.pieces;
  if (typeof part === 'object') return part.flatMap(piecesOf);
  return [escapeText(String(part))];
}
