/**
 * What tests need to know of a Bicep file, without a compiler: its parameters, the resources and modules it declares, and what stands in them. It reads the subset that
 * config/azure is written in: a comment has its own line, a parameter is one line, no multi-line strings. It does not check the language; a compiler does, where there is one.
 */

export interface BicepParameter {
  readonly name: string;
  readonly type: string;
  /** The default's expression; null when the caller must give a value. */
  readonly fallback: string | null;
  readonly secure: boolean;
}

export interface BicepDeclaration {
  readonly symbol: string;
  /** `Microsoft.Storage/storageAccounts@2023-05-01` of a resource, the file of a module. */
  readonly of: string;
  readonly existing: boolean;
  /** The text between the outer braces. */
  readonly body: string;
}

export interface BicepFile {
  /** The text without comments. */
  readonly text: string;
  readonly parameters: readonly BicepParameter[];
  readonly resources: readonly BicepDeclaration[];
  readonly modules: readonly BicepDeclaration[];
}

const PAIRS: Readonly<Record<string, string>> = { '{': '}', '[': ']', '(': ')' };

/** Reads a file. Throws when its brackets or quotes do not pair. */
export function readBicep(source: string): BicepFile {
  const text = source.replaceAll(/^\s*\/\/.*$/gm, '');
  checkPairs(text);
  return { text, parameters: parametersOf(text), resources: declarations(text, 'resource'), modules: declarations(text, 'module') };
}

/** The names directly in an object, in order: `a: 1 b: { c: 2 }` has `a` and `b`. */
export function namesIn(body: string): string[] {
  const names: string[] = [];
  let depth = 0;
  for (const { character, index, quoted } of characters(body)) {
    if (quoted) continue;
    if (Object.hasOwn(PAIRS, character)) depth += 1;
    else if (Object.values(PAIRS).includes(character)) depth -= 1;
    const name = depth === 0 ? /^([A-Za-z]\w*):/.exec(body.slice(index))?.[1] : undefined;
    if (name !== undefined && !/\w/.test(body[index - 1] ?? ' ')) names.push(name);
  }
  return names;
}

/** What stands between the braces that open at or after an index. */
export function braced(text: string, from: number): string {
  const start = text.indexOf('{', from);
  let depth = 0;
  for (const { character, index, quoted } of characters(text.slice(start))) {
    if (quoted) continue;
    if (character === '{') depth += 1;
    if (character === '}') depth -= 1;
    if (depth === 0) return text.slice(start + 1, start + index);
  }
  throw new Error(`no closing brace after ${text.slice(start, start + 40)}`);
}

/** Each character with whether it is part of a text; what stands in `${…}` of a text is not. */
function* characters(text: string): Generator<{ character: string; index: number; quoted: boolean }> {
  // The innermost entry says where we are: in a text, or in the braces of an expression inside a text (with how deep).
  const inside: ('text' | number)[] = [];
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index]!;
    const where = inside.at(-1);
    if (where === 'text') {
      yield { character, index, quoted: true };
      if (character === '\\') { index += 1; yield { character: text[index]!, index, quoted: true }; }
      else if (character === "'") inside.pop();
      else if (character === '$' && text[index + 1] === '{') { index += 1; yield { character: '{', index, quoted: true }; inside.push(0); }
      continue;
    }
    if (character === "'") inside.push('text');
    if (typeof where === 'number' && character === '{') inside[inside.length - 1] = where + 1;
    const ends = where === 0 && character === '}';
    if (typeof where === 'number' && where > 0 && character === '}') inside[inside.length - 1] = where - 1;
    yield { character, index, quoted: character === "'" || ends };
    if (ends) inside.pop();
  }
}

function checkPairs(text: string): void {
  const open: string[] = [];
  let last = '';
  for (const { character, index, quoted } of characters(text)) {
    last = text.slice(Math.max(0, index - 40), index + 1);
    if (quoted) continue;
    if (Object.hasOwn(PAIRS, character)) open.push(PAIRS[character]!);
    else if (Object.values(PAIRS).includes(character) && open.pop() !== character) throw new Error(`a bracket that nothing opened: …${last}`);
  }
  if (open.length > 0) throw new Error(`a bracket or quote is not closed: ${open.join(' ')} at the end, …${last}`);
}

function parametersOf(text: string): BicepParameter[] {
  return [...text.matchAll(/((?:^@.*\n)*)^param (\w+) ([\w[\]]+)(?: = (.+))?$/gm)]
    .map(([, decorators, name, type, fallback]) => ({ name: name!, type: type!, fallback: fallback ?? null, secure: decorators!.includes('@secure()') }));
}

function declarations(text: string, keyword: 'resource' | 'module'): BicepDeclaration[] {
  return [...text.matchAll(new RegExp(`^${keyword} (\\w+) '([^']+)'( existing)? =`, 'gm'))]
    .map((match) => ({ symbol: match[1]!, of: match[2]!, existing: match[3] !== undefined, body: braced(text, match.index + match[0].length) }));
}
