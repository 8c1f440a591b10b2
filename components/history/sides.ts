import type { MeshSide } from "../../server/contract/index.ts";

/** One side of a comparison as the address has it: `now`, `r41` (a revision), `t1764…` (Unix milliseconds), `file`, `d:<design>`. */
export type SideText = string;

export type Side =
  | { kind: "now" }
  | { kind: "revision"; revision: number }
  | { kind: "at"; at: number }
  | { kind: "file" }
  | { kind: "design"; design: string };

/** What is no side is `now`. */
export function parseSide(text: SideText | null): Side {
  if (text === "file") return { kind: "file" };
  if (text?.startsWith("d:")) return { kind: "design", design: text.slice(2) };
  const [, letter, digits] = /^([rt])(\d{1,15})$/.exec(text ?? "") ?? [];
  if (letter === "r") return { kind: "revision", revision: Number(digits) };
  if (letter === "t") return { kind: "at", at: Number(digits) };
  return { kind: "now" };
}

export function sideText(side: Side): SideText {
  switch (side.kind) {
    case "revision":
      return `r${side.revision}`;
    case "at":
      return `t${side.at}`;
    case "design":
      return `d:${side.design}`;
    default:
      return side.kind;
  }
}

/** What the API is asked with; null for a file that is not chosen yet. */
export function meshSide(side: Side, file: string | null): MeshSide | null {
  switch (side.kind) {
    case "now":
      return { now: true };
    case "revision":
      return { revision: side.revision };
    case "at":
      return { at: side.at };
    case "design":
      return side.design === "" ? null : { design: side.design };
    case "file":
      return file === null || file.trim() === "" ? null : { yaml: file };
  }
}
