import { describe, expect, it } from "vitest";
import { lifeOf } from "./certificate-life.ts";

const hour = 3_600_000;
const day = { serial: "1", issuer: "O=cluster.local", notBeforeMs: 0, notAfterMs: 24 * hour };

describe("the life of a certificate", () => {
  it.each([
    [1, 23, "plain"],
    [17, 7, "plain"],
    // Replaced at twelve hours: at nineteen something is wrong.
    [19, 5, "warn"],
    [24, 0, "bad"],
    [30, 0, "bad"],
  ])("after %i of 24 hours has %i left and is %s", (at, left, tone) => {
    expect(lifeOf(day, at * hour)).toEqual({ leftMs: left * hour, tone });
  });
});
