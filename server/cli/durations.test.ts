import { expect, it } from "vitest";
import { CliError } from "./config/io.ts";
import { duration, millisecondsOf, secondsOf } from "./durations.ts";

it("reads durations, and numbers in the API's units", () => {
  expect([millisecondsOf("min", "250ms"), millisecondsOf("min", "1.5s"), millisecondsOf("min", "200")]).toEqual([
    250, 1500, 200,
  ]);
  expect([secondsOf("window", "15m"), secondsOf("window", "900"), secondsOf("window", "1500ms")]).toEqual([
    900, 900, 2,
  ]);
});

it.each(["soon", "", "-1s", "1 h", "5x"])("tells of %s which option it is, and what would be right", (text) => {
  for (const read of [duration, secondsOf, millisecondsOf])
    expect(() => read("window", text)).toThrow(
      new CliError(`error: --window ${text}: must be a duration such as 250ms, 90s, 15m or 6h`),
    );
});
