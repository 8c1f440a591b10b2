import { expect, it } from "vitest";
import {
  checkRange,
  distanceSec,
  earlier,
  fromLocalInput,
  parseRange,
  rangeParams,
  toLocalInput,
} from "./time-range.ts";

const of = (query: string) => {
  const params = new URLSearchParams(query);
  return parseRange((name) => params.get(name), 300);
};

it("reads fixed ends before a moving window, and neither from nonsense", () => {
  expect(of("")).toEqual({ windowSec: 300, at: null });
  expect(of("window=7200")).toEqual({ windowSec: 7200, at: null });
  expect(of("window=60&at=1700000000000")).toEqual({ windowSec: 60, at: 1_700_000_000_000 });
  expect(of("from=1700000000000&to=1700003600000&window=60")).toEqual({ windowSec: 3600, at: 1_700_003_600_000 });
  expect(of("from=1700003600000&to=1700000000000")).toEqual({ windowSec: 300, at: null });
  expect(of("window=0")).toEqual({ windowSec: 300, at: null });
  expect(of("window=99999999")).toEqual({ windowSec: 300, at: null });
});

it("says a range so that it is read as the same one", () => {
  for (const range of [
    { windowSec: 900, at: null },
    { windowSec: 5400, at: 1_700_000_000_000 },
  ]) {
    const params: Record<string, string | null> = rangeParams(range);
    expect(parseRange((name) => params[name])).toEqual(range);
  }
});

it("compares with as long a stretch before, a day before, a week before", () => {
  const range = { windowSec: 600, at: 1_700_000_000_000 };
  expect(earlier(range, "before", 0)).toEqual({ windowSec: 600, at: 1_700_000_000_000 - 600_000 });
  expect(distanceSec("week", range)).toBe(604_800);
  expect(earlier({ windowSec: 600, at: null }, "day", 2e12).at).toBe(2e12 - 86_400_000);
});

it("names what is wrong with two ends", () => {
  const now = 1_700_000_000_000;
  expect(checkRange(null, now, now)).toBe("incomplete");
  expect(checkRange(now, now - 1, now)).toBe("backwards");
  expect(checkRange(now - 5000, now, now)).toBe("short");
  expect(checkRange(now - 31 * 86_400_000, now, now)).toBe("long");
  expect(checkRange(now - 31 * 86_400_000, now, now, Number.POSITIVE_INFINITY)).toBeNull();
  expect(checkRange(now + 60_000, now + 120_000, now)).toBe("future");
  expect(checkRange(now - 60_000, now, now)).toBeNull();
});

it("writes a time for a field and reads it back", () => {
  expect(fromLocalInput(toLocalInput(1_700_000_000_000))).toBe(1_700_000_000_000);
  expect(toLocalInput(1_700_000_000_000)).toMatch(/^2023-11-1\d \d\d:\d\d:20$/);
  expect(fromLocalInput("2023-11-14T22:13:20Z")).toBe(1_700_000_000_000);
  expect(fromLocalInput("2023-11-14 23:13:20+01:00")).toBe(1_700_000_000_000);
  for (const text of ["", "2023", "2023-11-14", "2023-11-14 25:00"]) expect(fromLocalInput(text), text).toBeNull();
});
