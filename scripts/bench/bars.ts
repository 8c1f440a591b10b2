/** What was asked of a figure, and whether it is met. */
export interface Bar {
  what: string;
  /** Undefined: it could not be measured, for `why`. */
  value: number | undefined;
  unit: string;
  most?: number;
  least?: number;
  why?: string;
}

/** Figures with their bars, told as they come and once more as a table. A part that fails is told as such, and the others go on. */
export class Bars {
  readonly #bars: Bar[] = [];

  add(bar: Bar): void {
    this.#bars.push(bar);
    process.stdout.write(`${lineOf(bar)}\n`);
  }

  async part(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.add({ what, value: undefined, unit: "", why: error instanceof Error ? error.message : String(error) });
    }
  }

  /** How many were missed, or not measured. */
  table(): number {
    process.stdout.write("\n| what | measured | bar | |\n| --- | --- | --- | --- |\n");
    for (const bar of this.#bars) {
      process.stdout.write(`| ${bar.what} | ${measured(bar)} | ${wanted(bar)} | ${verdict(bar)} |\n`);
    }
    const missed = this.#bars.filter((bar) => verdict(bar) !== "met").length;
    process.stdout.write(`\n${this.#bars.length - missed} of ${this.#bars.length} bars met\n`);
    return missed;
  }
}

function verdict({ value, most = Number.POSITIVE_INFINITY, least = Number.NEGATIVE_INFINITY }: Bar): string {
  if (value === undefined || Number.isNaN(value)) return "not measured";
  return value <= most && value >= least ? "met" : "MISSED";
}

const measured = ({ value, unit, why = "" }: Bar): string =>
  value === undefined ? why : `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ${unit}`;

const wanted = ({ most, least, unit }: Bar): string =>
  [most !== undefined && `≤ ${most} ${unit}`, least !== undefined && `≥ ${least} ${unit}`].filter(Boolean).join(", ");

const lineOf = (bar: Bar): string => `${verdict(bar)}: ${bar.what}: ${measured(bar)} (${wanted(bar)})`;
