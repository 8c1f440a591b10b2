import { describe, expect, it } from "vitest";
import { callName, KnownCalls } from "./call-stats.ts";
import { FrameCounter } from "./frame-counter.ts";
import { TextDecoder, TextEncoder } from "./web-text.ts";

function message(text: string): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(text.length, 1);
  return Buffer.concat([head, Buffer.from(text)]);
}

/** Every way to cut in two, and byte by byte. */
function cuts(bytes: Buffer): Buffer[][] {
  const twos = Array.from({ length: bytes.length + 1 }, (_, i) => [bytes.subarray(0, i), bytes.subarray(i)]);
  return [...twos, Array.from(bytes, (_, i) => bytes.subarray(i, i + 1))];
}

describe("gRPC-Web's text", () => {
  const messages = ["one", "", "three and more", "ab"].map(message);

  it("encodes message by message, however they are cut", () => {
    const expected = messages.map((each) => each.toString("base64")).join("");
    for (const parts of cuts(Buffer.concat(messages))) {
      const encoder = new TextEncoder();
      expect(parts.map((part) => encoder.feed(part).toString()).join("")).toBe(expected);
    }
  });

  it("lets a message go on before it is whole", () => {
    expect(new TextEncoder().feed(message("abcdefgh").subarray(0, 9)).toString()).toBe("AAAAAAhhYmNk");
  });

  it("decodes quads, however they are cut", () => {
    const text = Buffer.from(Buffer.concat(messages).toString("base64"));
    for (const parts of cuts(text)) {
      const decoder = new TextDecoder();
      expect(Buffer.concat(parts.map((part) => decoder.feed(part) ?? Buffer.from("?")))).toEqual(
        Buffer.concat(messages),
      );
      expect(decoder.whole).toBe(true);
    }
  });

  it.each(["!!!!", "A===", "AA==AAAA", "A A="])("refuses %j", (text) => {
    expect(new TextDecoder().feed(Buffer.from(text))).toBeUndefined();
  });

  it("knows what is left over", () => {
    const decoder = new TextDecoder();
    decoder.feed(Buffer.from("AAAAA"));
    expect(decoder.whole).toBe(false);
  });
});

describe("gRPC's counters", () => {
  it("counts messages, however they are cut", () => {
    for (const parts of cuts(Buffer.concat([message("one"), message(""), message("three")]))) {
      const counter = new FrameCounter();
      const told = parts.reduce((sum, part) => sum + counter.feed(part), 0);
      expect([told, counter.count]).toEqual([3, 3]);
    }
  });

  it.each([
    ["/pkg.Service/Call", { service: "pkg.Service", method: "Call" }],
    ["/pkg.Service/Call?a=/b", { service: "pkg.Service", method: "Call" }],
    ["/pkg.Service", undefined],
    ["/a/b/c", undefined],
    ["//Call", undefined],
    ["/a/", undefined],
  ])("%s", (path, expected) => {
    expect(callName(path)).toEqual(expected);
  });

  it("tells only so many names apart", () => {
    const known = new KnownCalls();
    const segments = Array.from({ length: 1_001 }, (_, i) => known.segment({ service: "s", method: `m${i}` }));
    expect([segments[0], segments[999], segments[1_000], known.segment({ service: "s", method: "m0" })]).toEqual([
      "s.m0.",
      "s.m999.",
      "",
      "s.m0.",
    ]);
  });
});
