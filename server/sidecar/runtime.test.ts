import { describe, expect, it } from "vitest";
import { Runtime, runtimeValue, runtimeValues } from "./runtime.ts";

const layer = {
  fault: {
    http: {
      abort: { abort_percent: 30 },
      delay: { fixed_delay_percent: { numerator: 5, denominator: "TEN_THOUSAND" } },
    },
  },
  "already.dotted": true,
  text: "words",
  half: { numerator: 50 },
  million: { numerator: 250_000, denominator: 2 },
  wrong: -5,
};

describe("a runtime", () => {
  it("reads objects by dotted keys, whole numbers as percent, and fractions", () => {
    const runtime = new Runtime();
    runtime.setLayer("static", runtimeValues(layer));
    const share = (key: string) => runtime.now({ key, fallback: 0.9 });
    expect([share("fault.http.abort.abort_percent"), share("fault.http.delay.fixed_delay_percent")]).toEqual([
      0.3, 0.0005,
    ]);
    expect([share("half"), share("million"), share("text"), share("wrong"), share("none"), share("")]).toEqual([
      0.5, 0.25, 0.9, 0.9, 0.9, 0.9,
    ]);
    expect(runtime.get("already.dotted")?.flag).toBe(true);
  });

  it("the last layer that has a key wins, and a change is in force at once", () => {
    const runtime = new Runtime();
    runtime.setLayer("static", runtimeValues({ a: 1, b: 1 }));
    runtime.setLayer("rtds", new Map());
    runtime.setLayer("admin", new Map([["b", runtimeValue("3")]]));
    const of = (key: string) => runtime.get(key)?.number;
    expect([of("a"), of("b")]).toEqual([1, 3]);
    runtime.setLayer("rtds", runtimeValues({ a: 2, b: 2 }));
    expect([of("a"), of("b")]).toEqual([2, 3]);
    runtime.setLayer("admin", new Map());
    expect([of("a"), of("b")]).toEqual([2, 2]);
    expect(runtime.layers.map(({ name }) => name)).toEqual(["static", "rtds", "admin"]);
  });

  it("draws none at 0, all at 1, and asks for no number then", () => {
    const runtime = new Runtime();
    const never = () => {
      throw new Error("asked");
    };
    expect([0, 1].map((fallback) => runtime.draws({ key: "", fallback }, never))).toEqual([false, true]);
    expect([0.2, 0.4].map((drawn) => runtime.draws({ key: "", fallback: 0.3 }, () => drawn))).toEqual([true, false]);
  });

  it.each([
    ["true", { flag: true, number: undefined }],
    ["FALSE", { flag: false }],
    ["12", { number: 12, share: 0.12 }],
    ["1.5", { number: 1.5, share: undefined }],
    ["400", { share: 1 }],
    ["", { number: undefined, flag: undefined, share: undefined }],
  ])("reads %j", (text, expected) => {
    expect(runtimeValue(text)).toMatchObject(expected);
  });
});
