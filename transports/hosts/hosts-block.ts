/**
 * What this program writes into a hosts.toml stands between two comment lines, so that it can be told from what others wrote,
 * in the same file or in a file of its own. Texts are bytes, one a character (latin1): what others wrote is kept to the byte.
 */
export interface MirrorHosts {
  /** URLs, in the order in which containerd asks them. */
  readonly targets: readonly string[];
  readonly capabilities: readonly ('pull' | 'resolve')[];
  /** The whole value of the field that each request to a mirror carries. */
  readonly authorization: string | undefined;
}

/** Keys before the tables: they describe the registry itself, which containerd asks last. */
export interface RegistryKeys {
  readonly server?: string | undefined;
  readonly ca?: readonly string[];
  /** Key pairs, or files with both. */
  readonly client?: readonly (string | readonly [string, string])[];
}

/** How a block stands in its file: alone, or among what others wrote. */
export type BlockPlace = 'alone' | 'among' | 'after-open-line';

export interface FoundBlock {
  readonly place: BlockPlace;
  /** What stands before and after it. */
  readonly rest: string;
}

const beginnings: Readonly<Record<BlockPlace, string>> = {
  alone: '# peili: begin',
  among: '# peili: begin, among what was here',
  // The line before it had no end: the first byte of the block is that end.
  'after-open-line': '# peili: begin, after an open line',
};
const ending = '# peili: end';
const note =
  '# Written by `peili configuration`, removed by `peili cleanup`. Changes between the lines of peili are lost.';

/** As long as containerd waits for a mirror that is not there (2.1 and later honour it). */
const dialTimeout = '200ms';

export function renderBlock(place: BlockPlace, keys: RegistryKeys, hosts: MirrorHosts): string {
  const lines = [
    beginnings[place],
    note,
    ...keyLines(keys),
    ...hosts.targets.flatMap((url) => table(url, hosts)),
    ending,
  ];
  return `${place === 'after-open-line' ? '\n' : ''}${toBytes(lines.join('\n'))}\n`;
}

/** The block in a file; undefined: others wrote the whole file. */
export function findBlock(text: string): FoundBlock | undefined {
  for (const place of ['alone', 'among', 'after-open-line'] as const) {
    const begin = `${place === 'after-open-line' ? '\n' : ''}${beginnings[place]}\n`;
    const start = indexOfLine(text, begin);
    if (start === -1) continue;
    const end = text.indexOf(`\n${ending}\n`, start);
    if (end === -1) continue;
    const after = text.slice(end + ending.length + 2);
    // The line that was open has been ended by whoever added to it.
    const between = place === 'after-open-line' && after !== '' ? '\n' : '';
    return { place, rest: text.slice(0, start) + between + after };
  }
  return undefined;
}

/** Whether others have written nothing of it. */
export function isAllOurs(text: string): boolean {
  const block = findBlock(text);
  return block?.place === 'alone' && block.rest === '';
}

/**
 * What others have to say about a registry: `current` is the file in place, `saved` what was put aside for it.
 * A file of ours that vanished leaves what was put aside; what was added to it stands after that; a file without a block is their last word.
 */
export function othersText(current: string | undefined, saved: string | undefined): string | undefined {
  if (current === undefined) return saved;
  const block = findBlock(current);
  if (block === undefined) return current;
  if (block.place !== 'alone') return block.rest;
  if (block.rest === '') return saved;
  const before = saved ?? '';
  return `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}${block.rest}`;
}

/** A file that says by itself what `othersText` makes of it, for the time in which that is put aside. */
export function gatheredText(others: string, hosts: MirrorHosts): string {
  return `${others}${renderBlock(placeAfter(others), {}, hosts)}`;
}

/** How a block stands after a text. */
export function placeAfter(text: string): BlockPlace {
  return text === '' || text.endsWith('\n') ? 'among' : 'after-open-line';
}

export function toBytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}

export function fromBytes(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString();
}

function indexOfLine(text: string, begin: string): number {
  if (begin.startsWith('\n') || text.startsWith(begin)) return text.indexOf(begin);
  const start = text.indexOf(`\n${begin}`);
  return start === -1 ? -1 : start + 1;
}

function keyLines({ server, ca = [], client = [] }: RegistryKeys): string[] {
  return [
    ...(server === undefined ? [] : [`server = ${quoted(server)}`]),
    ...(ca.length === 0 ? [] : [`ca = ${array(ca.map(quoted))}`]),
    ...(client.length === 0
      ? []
      : [
          `client = ${array(client.map((pair) => (typeof pair === 'string' ? quoted(pair) : array(pair.map(quoted)))))}`,
        ]),
  ];
}

function table(url: string, { capabilities, authorization }: MirrorHosts): string[] {
  const name = `host.${quoted(url)}`;
  return [
    '',
    `[${name}]`,
    `capabilities = ${array(capabilities.map(quoted))}`,
    `dial_timeout = ${quoted(dialTimeout)}`,
    ...(authorization === undefined ? [] : [`[${name}.header]`, `Authorization = ${quoted(authorization)}`]),
  ];
}

function array(values: readonly string[]): string {
  return `[${values.join(', ')}]`;
}

/** A TOML string: literal where that can be, else basic, whose escapes JSON shares (TOML 1.0, "String"). */
function quoted(text: string): string {
  return /^[^'\p{Cc}]*$/u.test(text) ? `'${text}'` : JSON.stringify(text);
}
