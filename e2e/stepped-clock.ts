import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A wall clock of other processes that can be stepped while they run; their monotonic clock goes on. */
export interface SteppedClock {
  /** `libfaketime`: the system's own calls. `Date`: only what JavaScript reads of them. */
  readonly kind: "libfaketime" | "Date";
  /** What a process must be started with. */
  readonly env: Readonly<Record<string, string>>;
  /** From the true time. Seen within a second. */
  step(seconds: number): void;
  remove(): void;
}

/** By libfaketime where there is one; else, for processes of Node, by another `Date`. */
export function steppedClock(): SteppedClock {
  const folder = mkdtempSync(join(tmpdir(), "limpid-clock-"));
  const file = join(folder, "clock");
  const step = (seconds: number) => writeFileSync(file, `${seconds < 0 ? "" : "+"}${seconds}\n`);
  step(0);
  const library = faketime();
  const env = library === undefined ? byDate(folder, file) : byLibrary(library, file);
  return {
    kind: library === undefined ? "Date" : "libfaketime",
    env,
    step,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export const byLibrary = (library: string, file: string): Record<string, string> => ({
  LD_PRELOAD: library,
  FAKETIME_TIMESTAMP_FILE: file,
  FAKETIME_CACHE_DURATION: "1",
  FAKETIME_DONT_FAKE_MONOTONIC: "1",
});

function byDate(folder: string, file: string): Record<string, string> {
  const hook = join(folder, "date.mjs");
  writeFileSync(
    hook,
    `import { readFileSync } from "node:fs";
const TrueDate = Date;
let readAt = -1e9;
let offsetMs = 0;
const now = () => {
  if (performance.now() - readAt > 200) {
    readAt = performance.now();
    offsetMs = Number(readFileSync(${JSON.stringify(file)}, "utf8")) * 1000 || 0;
  }
  return TrueDate.now() + offsetMs;
};
globalThis.Date = class Date extends TrueDate {
  constructor(...args) {
    super(...(args.length === 0 ? [now()] : args));
  }
  static now() {
    return now();
  }
};
`,
  );
  return { NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ""} --import ${hook}`.trim() };
}

/** Where distributions put it; LIMPID_FAKETIME names another. */
export function faketime(): string | undefined {
  const arch = process.arch === "arm64" ? "aarch64" : "x86_64";
  const places = [
    process.env.LIMPID_FAKETIME ?? "",
    `/usr/lib/${arch}-linux-gnu/faketime/libfaketimeMT.so.1`,
    "/usr/lib64/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
  ];
  return places.find((path) => path !== "" && existsSync(path));
}
