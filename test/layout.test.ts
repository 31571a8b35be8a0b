/**
 * Goal: the structure the README describes is the structure of the code. Data flows one way, pure code stays pure, no file or function
 * outgrows a reader's patience.
 * Method: every file of src is parsed by the TypeScript compiler; imports, globals and sizes are compared with the tables below.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const SRC = resolve(import.meta.dirname, '../src');
const FILE_LINES_MAX = 250;
const FUNCTION_LINES_MAX = 70;

/** From → what it may import, as path prefixes below src. Own folder is always allowed. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  'errors.ts': [],
  'runtime/': ['errors.ts'],
  'source/': ['runtime/', 'errors.ts'],
  'change/': ['source/source.ts', 'source/positions.ts', 'errors.ts'],
  'ledger/': ['change/', 'source/positions.ts', 'errors.ts'],
  'state.ts': ['ledger/', 'change/', 'source/positions.ts', 'source/source.ts', 'errors.ts', 'state'],
  'registry/': ['change/', 'runtime/', 'errors.ts'],
  'ingest/': ['source/', 'change/', 'registry/', 'runtime/', 'errors.ts'],
  'snapshot/': ['state', 'ledger/', 'change/', 'source/positions.ts', 'runtime/', 'errors.ts'],
  'control': ['source/positions.ts', 'source/source.ts', 'runtime/', 'errors.ts', 'control'],
  'read/': ['state', 'control', 'ledger/', 'change/', 'source/positions.ts', 'runtime/', 'errors.ts'],
  'pipeline': ['ingest/ingest.ts', 'state', 'control', 'snapshot/', 'ledger/ledger.ts', 'change/', 'source/positions.ts', 'source/source.ts', 'runtime/', 'errors.ts', 'pipeline'],
  'config': ['change/', 'source/kafka-options.ts', 'source/event-hubs-options.ts', 'registry/registry-options.ts', 'snapshot/azure-account.ts', 'runtime/azure-identity.ts', 'errors.ts', 'config'],
  'cli/': ['config', 'snapshot/', 'ledger/', 'change/', 'state', 'control', 'pipeline', 'read/', 'ingest/', 'source/', 'runtime/', 'errors.ts'],
  'main.ts': [''],
};
/** Folders and files without effects: no node: module, no clock, no environment, nothing asynchronous. */
const PURE = ['change/', 'ledger/', 'state'];
const IMPURE_GLOBALS = new Set(['process', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'performance', 'fetch', 'crypto', 'console']);

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
  readonly imports: readonly string[];
}

function walk(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? walk(path) : path.endsWith('.ts') ? [path] : [];
  });
}

function load(path: string): SourceFile {
  const text = readFileSync(path, 'utf8');
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports = tree.statements.flatMap((s) =>
    (ts.isImportDeclaration(s) || ts.isExportDeclaration(s)) && s.moduleSpecifier !== undefined && ts.isStringLiteral(s.moduleSpecifier) ? [s.moduleSpecifier.text] : []);
  return { path: relative(SRC, path), text, tree, imports };
}

const files = walk(SRC).map(load);

function visit(node: ts.Node, check: (node: ts.Node) => void): void {
  check(node);
  ts.forEachChild(node, (child) => visit(child, check));
}

const isPure = (file: SourceFile): boolean => PURE.some((p) => file.path.startsWith(p));

describe('layout', () => {
  it('imports point up the pipeline', () => {
    const wrong = files.flatMap((file) => {
      const rule = Object.keys(MAY_IMPORT).find((from) => file.path.startsWith(from));
      if (rule === undefined) return [`${file.path} is in no folder the layout knows`];
      const own = rule.endsWith('/') ? rule : file.path;
      return file.imports.filter((i) => i.startsWith('.')).map((i) => relative(SRC, resolve(SRC, dirname(file.path), i)))
        .filter((target) => !target.startsWith(own) && !MAY_IMPORT[rule]!.some((allowed) => target.startsWith(allowed)))
        .map((target) => `${file.path} imports ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  it('nobody imports main', () => {
    expect(files.filter((f) => f.imports.some((i) => i.endsWith('/main.ts'))).map((f) => f.path)).toEqual([]);
  });

  it('the main thread loads no library that only the snapshot worker needs', () => {
    const byPath = new Map(files.map((file) => [file.path, file]));
    const loaded = new Set<string>();
    const load = (path: string): void => {
      if (loaded.has(path)) return;
      loaded.add(path);
      for (const statement of byPath.get(path)?.tree.statements ?? []) {
        if (!ts.isImportDeclaration(statement) || statement.importClause?.isTypeOnly === true || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
        const { text } = statement.moduleSpecifier;
        load(text.startsWith('.') ? relative(SRC, resolve(SRC, dirname(path), text)) : text);
      }
    };
    for (const entry of ['cli/serve-command.ts', 'cli/replay-command.ts', 'snapshot/thread-work.ts']) load(entry);
    expect(loaded).toContain('snapshot/snapshot-keeper.ts');
    expect([...loaded].filter((path) => /^apache-arrow|parquetjs|^@azure/.test(path))).toEqual([]);
  });

  it('pure code knows no platform, clock, environment or promise', () => {
    const wrong: string[] = [];
    for (const file of files.filter(isPure)) {
      for (const i of file.imports) if (!i.startsWith('.')) wrong.push(`${file.path} imports ${i}`);
      visit(file.tree, (node) => {
        if (ts.isIdentifier(node) && IMPURE_GLOBALS.has(node.text) && !ts.isPropertyAccessExpression(node.parent) && !ts.isPropertyAssignment(node.parent)) wrong.push(`${file.path} uses ${node.text}`);
        if (ts.isAwaitExpression(node) || node.kind === ts.SyntaxKind.AsyncKeyword) wrong.push(`${file.path} is asynchronous`);
        if (ts.isPropertyAccessExpression(node) && ['Date.now', 'Math.random'].includes(node.getText())) wrong.push(`${file.path} uses ${node.getText()}`);
        if (ts.isNewExpression(node) && node.getText() === 'new Date()') wrong.push(`${file.path} reads the clock`);
      });
    }
    expect(wrong).toEqual([]);
  });

  it(`no file has more than ${FILE_LINES_MAX} lines`, () => {
    expect(files.map((f) => [f.path, f.text.split('\n').length - 1] as const).filter(([, lines]) => lines > FILE_LINES_MAX)).toEqual([]);
  });

  it(`no function has more than ${FUNCTION_LINES_MAX} lines`, () => {
    const wrong: string[] = [];
    for (const file of files) {
      visit(file.tree, (node) => {
        if (!ts.isFunctionLike(node) || ts.isFunctionTypeNode(node)) return;
        const first = file.tree.getLineAndCharacterOfPosition(node.getStart()).line;
        const lines = file.tree.getLineAndCharacterOfPosition(node.end).line - first + 1;
        if (lines > FUNCTION_LINES_MAX) wrong.push(`${file.path}:${first + 1} has ${lines} lines`);
      });
    }
    expect(wrong).toEqual([]);
  });

  it('there are no default exports, enums or barrels', () => {
    const wrong: string[] = [];
    for (const file of files) {
      visit(file.tree, (node) => {
        if (ts.isExportAssignment(node) || node.kind === ts.SyntaxKind.DefaultKeyword && ts.isFunctionDeclaration(node.parent)) wrong.push(`${file.path} has a default export`);
        if (ts.isEnumDeclaration(node)) wrong.push(`${file.path} has an enum`);
      });
      if (file.path.split('/').at(-1) === 'index.ts') wrong.push(`${file.path} is a barrel`);
    }
    expect(wrong).toEqual([]);
  });

  it('every exported thing has a doc comment, and no file forgets its subject', () => {
    const wrong: string[] = [];
    for (const file of files) {
      for (const s of file.tree.statements) {
        const exported = ts.canHaveModifiers(s) && (ts.getModifiers(s) ?? []).some((m) => m.kind === ts.SyntaxKind.ExportKeyword);
        if (!exported || !(ts.isFunctionDeclaration(s) || ts.isClassDeclaration(s))) continue;
        if (ts.getJSDocCommentsAndTags(s).length === 0) wrong.push(`${file.path}: ${s.name?.text ?? '?'}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});
