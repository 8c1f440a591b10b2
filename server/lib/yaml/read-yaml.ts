import { Composer, type Document, Lexer, LineCounter, type Node, Parser } from "yaml";
import { toPlain } from "./to-plain.ts";

/** What a text may ask for. YAML is slow to read, some microseconds a byte, and a few bytes of it can stand for any amount of data. */
export interface YamlLimits {
  bytes: number;
  /** Collections within collections. */
  depth: number;
  /** Values in all documents together, aliases counted as what they stand for. */
  values: number;
  /** How long reading may take; unset: as long as it does. */
  timeMs?: number;
}

/** For what people write: a whole mesh in one file. */
export const yamlFileLimits: YamlLimits = { bytes: 16 * 1024 * 1024, depth: 64, values: 2_000_000 };

/** What is wrong with a text; `offset` counts its characters. */
export interface YamlProblem {
  message: string;
  offset: number;
}

export interface YamlDocument {
  /** Plain JSON; undefined for a document with problems, null for an empty one. */
  value: unknown;
  problems: YamlProblem[];
  /** Where the values stand; null for an empty document. */
  contents: Node | null;
  offset: number;
}

export interface YamlText {
  documents: YamlDocument[];
  /** The line of an offset, from one on. */
  lineAt(offset: number): number;
}

/** A text that is past the limits. */
export class YamlLimitError extends Error {
  readonly code = "YAML_LIMIT";
}

/**
 * Reads YAML 1.2 (and so JSON) as `kubectl` does: merge keys are followed, keys are unique, and a plain scalar that ends in a colon within a
 * flow list is text, as in `[2001:db8::]`. Takes time in proportion to the text. Throws `YamlLimitError`.
 */
export function readYaml(text: string, limits: YamlLimits): YamlText {
  const bytes = Buffer.byteLength(text);
  if (bytes > limits.bytes) throw new YamlLimitError(`must have at most ${limits.bytes} bytes, not ${bytes}`);
  const lines = new LineCounter();
  const budget = { values: limits.values };
  const documents = compose(text, limits, lines).map((document) => readDocument(document, text, budget, limits));
  return { documents, lineAt: (offset) => Math.max(1, lines.linePos(offset).line) };
}

/** Some lexemes stand for no value: spaces, indicators, ends of lines. */
const lexemesPerValue = 12;

function compose(text: string, limits: YamlLimits, lines: LineCounter): Document.Parsed[] {
  const end = limits.timeMs === undefined ? undefined : Date.now() + limits.timeMs;
  lines.addNewLine(0);
  const parser = new Parser(lines.addNewLine);
  const composer = new Composer({
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter: lines,
    keepSourceTokens: false,
  });
  const documents: Document.Parsed[] = [];
  let count = 0;
  for (const lexeme of new Lexer().lex(text)) {
    if (++count > limits.values * lexemesPerValue) throw tooMany(limits);
    if (end !== undefined && count % 1024 === 0 && Date.now() > end) throw tooSlow(limits);
    for (const token of parser.next(lexeme))
      for (const document of composer.next(token)) documents.push(document as Document.Parsed);
    // Composing follows the nesting, and would overflow the stack.
    if (parser.stack.length > limits.depth + 1)
      throw new YamlLimitError(`is nested deeper than ${limits.depth} levels`);
  }
  for (const token of parser.end())
    for (const document of composer.next(token)) documents.push(document as Document.Parsed);
  for (const document of composer.end(false, text.length)) documents.push(document as Document.Parsed);
  return documents;
}

export const tooMany = ({ values }: YamlLimits): YamlLimitError =>
  new YamlLimitError(`must have at most ${values} values, with what its aliases stand for`);

const tooSlow = ({ timeMs }: YamlLimits): YamlLimitError =>
  new YamlLimitError(`takes longer than ${timeMs} ms to read; JSON is quicker`);

function readDocument(
  document: Document.Parsed,
  text: string,
  budget: { values: number },
  limits: YamlLimits,
): YamlDocument {
  const problems = document.errors.map(({ message, pos }): YamlProblem => ({ message, offset: pos[0] }));
  const found = { value: undefined as unknown, problems, contents: document.contents, offset: document.range[0] };
  if (problems.length > 0) return found;
  const value = toPlain(document.contents, text, problems, () => {
    if (--budget.values < 0) throw tooMany(limits);
  });
  return { ...found, value: problems.length > 0 ? undefined : value };
}
