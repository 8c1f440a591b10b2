import type { Clock } from "./clock.ts";

export interface MadeAheadOptions<T> {
  /** Begins the answer of now; the same promise as long as nothing is new, so that looking is cheap. Wrapped, as a promise of a promise is none. */
  begin(): Promise<{ answer: Promise<T> }>;
  clock: Clock;
}

/** So many who ask within `togetherMs` are a crowd. */
const crowd = 4;
const togetherMs = 2000;
const lookMs = 100;
/** How old an answer may be that is given while the next one is made. */
const staleMs = 1500;

/**
 * An answer that becomes new from time to time, as once a second, and takes a while to make. Clients that ask again so long after their answer all wait for the same one
 * sooner or later, and then come together each time. So for a crowd the next answer is made as soon as there is something new, whether somebody asks or not, and while it
 * is made the last one is given. Whoever asks alone always gets the newest.
 */
export class MadeAhead<T> {
  readonly #options: MadeAheadOptions<T>;
  readonly #asked: number[] = [];
  #last: { value: T; atMs: number } | undefined;
  #making: Promise<T> | undefined;
  #looking = false;

  constructor(options: MadeAheadOptions<T>) {
    this.#options = options;
  }

  async ask(): Promise<T> {
    const { clock } = this.#options;
    this.#asked.push(clock.now());
    if (this.#asked.length > crowd) this.#asked.shift();
    const { answer } = await this.#begin();
    if (!this.#isCrowd()) return answer;
    this.#look();
    const last = this.#last;
    return answer === this.#making && last !== undefined && clock.now() - last.atMs < staleMs ? last.value : answer;
  }

  #isCrowd(): boolean {
    const [first = Number.NEGATIVE_INFINITY] = this.#asked;
    return this.#asked.length === crowd && this.#options.clock.now() - first < togetherMs;
  }

  async #begin(): Promise<{ answer: Promise<T> }> {
    const { answer } = await this.#options.begin();
    if (answer !== this.#making) {
      this.#making = answer;
      const over = () => {
        if (this.#making === answer) this.#making = undefined;
      };
      answer.then((value) => {
        this.#last = { value, atMs: this.#options.clock.now() };
        over();
      }, over);
    }
    return { answer };
  }

  /** Again and again, until the crowd has gone. */
  #look(): void {
    if (this.#looking) return;
    this.#looking = true;
    this.#options.clock.setTimeout(() => {
      this.#looking = false;
      if (!this.#isCrowd()) return;
      this.#begin().then(
        () => this.#look(),
        () => undefined, // told to who asks next
      );
    }, lookMs);
  }
}
