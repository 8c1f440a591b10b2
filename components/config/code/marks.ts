/** Something that is said of a place in a text. */
export interface CodeMark {
  severity: "error" | "warning";
  message: string;
  /** `spec.http[0].timeout`, or empty. */
  path: string;
  /** Counts from one; null: only the path says where. */
  line: number | null;
}
