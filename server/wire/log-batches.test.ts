import { expect, it } from "vitest";
import { decodeAcknowledgement, encodeAcknowledgement, formatLogBatches, parseLogBatches } from "./log-batches.ts";

const sender = "0123456789abcdef".repeat(2);

it("what is written is read again", () => {
  expect(parseLogBatches(formatLogBatches({ sender, first: 17 }))).toEqual({ sender, first: 17 });
  for (const number of [1, 127, 128, 2 ** 40])
    expect(decodeAcknowledgement(encodeAcknowledgement(number))).toBe(number);
});

it.each(["", sender, `${sender} 0`, `${sender} -1`, `${sender} 1e3`, `${sender.toUpperCase()} 1`, `${sender} 1 2`])(
  "%j is no name of batches",
  (text) => expect(parseLogBatches(text)).toBeUndefined(),
);

it.each([[[]], [[8, 1]], [[0xc0, 0x3e]], [[255, 255]]])("%j is an answer that acknowledges nothing", (bytes) =>
  expect(decodeAcknowledgement(Uint8Array.from(bytes))).toBeUndefined(),
);
