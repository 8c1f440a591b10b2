interface Verdict {
  what: string;
  measured: string;
  bar: string;
  isMet: boolean;
}

/** What the issue asks for beside what was measured, told as it comes and once more at the end. */
export class Bars {
  readonly #verdicts: Verdict[] = [];

  /** `most`: what is still good, in the unit. */
  check(what: string, value: number, most: number, unit: string): void {
    const measured = `${Number.isInteger(value) ? value : value.toFixed(1)} ${unit}`;
    this.add({ what, measured, bar: most === 0 ? `0 ${unit}` : `≤ ${most} ${unit}`, isMet: value <= most });
  }

  add(verdict: Verdict): void {
    this.#verdicts.push(verdict);
    print(lineOf(verdict));
  }

  /** A phase that could not be measured to its end. */
  failed(what: string, error: unknown): void {
    const measured = `not measured: ${error instanceof Error ? error.message : error}`;
    this.add({ what, measured, bar: "measured", isMet: false });
  }

  summary(): void {
    const met = this.#verdicts.filter(({ isMet }) => isMet).length;
    print(`\n${met} of ${this.#verdicts.length} bars are met`);
    for (const verdict of this.#verdicts) print(lineOf(verdict));
  }
}

const lineOf = ({ what, measured, bar, isMet }: Verdict): string =>
  `${isMet ? "met   " : "MISSED"} | ${what} | ${measured} | bar ${bar}`;

export const print = (line: string): void => void process.stdout.write(`${line}\n`);
