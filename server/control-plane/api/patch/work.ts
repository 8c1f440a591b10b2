import { StatusError } from "../status-error.ts";

/**
 * What one request may make the server do. A few bytes of a patch can ask for any amount of work (copies that double, comparisons of a whole
 * object, insertions at the head of a long list), so each step says what it is about to cost.
 */
export class Work {
  #left: number;

  /** `budget`: values that are looked at; a million take some tenths of a second. */
  constructor(budget = 1_000_000) {
    this.#left = budget;
  }

  /** Throws 413 when there is not so much left. */
  spend(cost: number): void {
    this.#left -= cost;
    if (this.#left < 0) {
      throw new StatusError(413, "RequestEntityTooLarge", "the patch asks for more work than one request may make");
    }
  }
}
