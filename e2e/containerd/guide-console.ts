/** A command of a guide, `a# peili verify`, and what the guide says that it prints. */
export interface GuideStep {
  /** Of the guide's file, from 1. */
  readonly line: number;
  /** The prompt's letter: which node. */
  readonly node: string;
  readonly command: string;
  readonly expected: readonly string[];
}

const prompt = /^([a-z])# (.*)$/;

/** The commands of all `console` blocks of a page, in order. Throws on a block that does not begin with a command. */
export function stepsOf(page: string): readonly GuideStep[] {
  const steps: { line: number; node: string; command: string; expected: string[] }[] = [];
  const state = { inBlock: false, continues: false };
  for (const [at, text] of page.split('\n').entries()) {
    if (text.startsWith('```')) {
      state.inBlock = !state.inBlock && text === '```console';
      state.continues = false;
      if (state.inBlock && !prompt.test(page.split('\n')[at + 1] ?? '')) {
        throw new Error(`line ${at + 2}: a console block begins with a command, a# ...`);
      }
      continue;
    }
    if (!state.inBlock) continue;
    const step = steps.at(-1);
    const [, node, command] = prompt.exec(text) ?? [];
    if (state.continues && step !== undefined) step.command += `\n${text}`;
    else if (node !== undefined && command !== undefined) steps.push({ line: at + 1, node, command, expected: [] });
    else step?.expected.push(text);
    state.continues = text.endsWith('\\') && (state.continues || node !== undefined);
  }
  return steps;
}

/** What is another one at each run: nothing of it is a promise. */
const varying: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/\b12D3KooW\w+/g, '<peer>'],
  [/\b\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>'],
  [/"(tookMs|pullId)":[\d.]+/g, '"$1":<n>'],
  [/ *\b\d+(?:\.\d+)? (?:ms|s)\b/g, '<took>'],
  [/\bcontainerd [12]\.\S+/g, 'containerd <version>'],
  [/^age: \d+$/g, 'age: <n>'],
  [/\[::1\]:\d{4,5}\b/g, '<port>'],
];

function withoutVarying(line: string): string {
  return varying.reduce((text, [pattern, instead]) => text.replaceAll(pattern, instead), line.trimEnd());
}

/**
 * Where the output is not what the guide says: undefined if it is. A line `...` of the guide stands for any lines, none too; what is another one at each run
 * (times, peer ids, ports) is not compared.
 */
export function differenceOf(expected: readonly string[], output: string): string | undefined {
  const printed = output.replace(/\n+$/, '').split('\n').map(withoutVarying);
  const actual = output.trim() === '' ? [] : printed;
  const wanted = expected.map(withoutVarying);
  const state = { at: 0, skips: false };
  for (const line of wanted) {
    if (line === '...') {
      state.skips = true;
      continue;
    }
    const found = state.skips ? actual.indexOf(line, state.at) : state.at;
    if (found < 0 || actual[found] !== line) return `wanted: ${line}\nfound:  ${actual[state.at] ?? 'the end'}`;
    state.at = found + 1;
    state.skips = false;
  }
  return state.skips || state.at === actual.length ? undefined : `the guide lacks: ${actual[state.at] ?? ''}`;
}
