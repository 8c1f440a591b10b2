import type { ApiError } from "../../server/contract/index.ts";
import { withVersion } from "./object-yaml.ts";

/** One text, of one object or, where nobody says which version it is of, of several. */
export interface AppliedText {
  text: string;
  /** The version it was edited from; null: it is new. */
  resourceVersion: string | null;
}

export interface RemovedObject {
  kind: string;
  namespace: string;
  name: string;
  resourceVersion?: string;
}

/** What is written and taken away as one change. */
export interface Application {
  texts: readonly AppliedText[];
  removed?: readonly RemovedObject[];
}

type Said = NonNullable<ApiError["errors"]>[number];

export interface PlacedError extends Said {
  /** Which of the texts it is of; null: of none. */
  text: number | null;
  /** Counts from one, in the text as the editor has it; null when the error is of no line. */
  line: number | null;
}

export interface Joined {
  yaml: string;
  place: (error: Said) => PlacedError;
}

/** All texts as one, and the way back from a line of it to the text's own. */
export function joinTexts(texts: readonly AppliedText[]): Joined {
  const parts = texts.map(({ text, resourceVersion }) => withVersion(text, resourceVersion));
  let next = 1;
  const starts = parts.map(({ yaml }) => {
    const start = next;
    next += yaml.trimEnd().split("\n").length + 1;
    return start;
  });
  const lineIn = (line: number) => {
    const text = Math.max(
      0,
      starts.findLastIndex((start) => start <= line),
    );
    const own = line - (starts[text] ?? 1) + 1;
    const inserted = parts[text]?.insertedLine ?? null;
    return { text, line: inserted !== null && own >= inserted ? Math.max(1, own - 1) : Math.max(1, own) };
  };
  const yaml = parts.map((part) => part.yaml.trimEnd()).join("\n---\n");
  return {
    yaml: parts.length === 1 ? (parts[0]?.yaml ?? "") : yaml,
    place: (error) => placed(error, lineIn, texts.length),
  };
}

/** For whoever filled in a form, where there is no document and no line of it: what is wrong with which field. */
export function withoutPlaces(error: ApiError): ApiError {
  const { place } = joinTexts([{ text: "", resourceVersion: null }]);
  const plain = (said: Said): Said => {
    const { text: _, line: __, ...rest } = place(said);
    return rest;
  };
  return { ...error, ...(error.errors && { errors: error.errors.map(plain) }) };
}

/** The API ends messages with `(document 1, line 9)`, and begins paths with `writes[1].object`; here both say where it is. */
function placed(error: Said, lineIn: (line: number) => { text: number; line: number }, count: number): PlacedError {
  const [, message, line] = /^(.*?) \(document \d+, line (\d+)\)$/s.exec(error.message) ?? [];
  if (line !== undefined) return { ...error, message: message ?? "", ...lineIn(Number(line)) };
  const [, index, path = ""] = /^writes\[(\d+)\](?:\.object)?\.?(.*)$/s.exec(error.path) ?? [];
  if (index === undefined) return { ...error, text: null, line: null };
  const text = count === 1 ? 0 : Number(index);
  return { ...error, path, text: text < count ? text : null, line: null };
}
