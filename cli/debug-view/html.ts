/** Markup that may stand as it is. Everything else is escaped when it is put into some. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

export type HtmlPart = string | number | Html | null | undefined | false | readonly HtmlPart[];

/** Markup with values in it: names come from peers and clients, so each is escaped, in text and in quoted attributes. */
export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  return new Html(strings.map((text, index) => text + markupOf(parts[index])).join(''));
}

function markupOf(part: HtmlPart): string {
  if (part === null || part === undefined || part === false) return '';
  if (part instanceof Html) return part.markup;
  if (typeof part === 'number') return String(part);
  return typeof part === 'string' ? escape(part) : part.map(markupOf).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
/** Control characters, and those that turn the direction of what follows. */
const unprintable = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
/** No name is longer: registry and repository together have 255 characters, a tag 128. */
const textMax = 512;

function escape(text: string): string {
  const shown = text.length > textMax ? `${text.slice(0, textMax)}…` : text;
  return shown.replaceAll(unprintable, '\ufffd').replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');
}
