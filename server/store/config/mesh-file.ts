import { fileState } from "./mesh-marker.ts";

/**
 * The file that a store has open, by its name: deleted, emptied or replaced, it is written in vain, for whoever opens it next finds
 * something else.
 */
export class MeshFile {
  readonly path: string;
  #opened: string;
  #refused: string | undefined;

  constructor(path: string) {
    this.path = path;
    this.#opened = JSON.stringify(fileState(path));
  }

  /** `same` as when it was opened, `replaced` by another, `refused` when that one was looked at already; or what became of it in words. */
  look(): "same" | "replaced" | "refused" | { why: string } {
    const now = fileState(this.path);
    if (!now.exists) return { why: now.why };
    const identity = JSON.stringify(now);
    if (identity === this.#opened) return "same";
    return identity === this.#refused ? "refused" : "replaced";
  }

  /** The file of this name is the one that is open by now. */
  reopened(): void {
    this.#opened = JSON.stringify(fileState(this.path));
    this.#refused = undefined;
  }

  /** The file of this name is none to go on with, until it is another again. */
  refused(): void {
    this.#refused = JSON.stringify(fileState(this.path));
  }
}
