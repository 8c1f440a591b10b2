import { describe, expect, test } from "vitest";
import { fractionsFrom } from "../lib/testing/random.ts";
import { clientPreface, Flag, FrameReader, type FrameSink, FrameType, type ReaderLimits } from "./frames.ts";
import { frame, uint32 } from "./testing/frame.ts";
import { cut, pick, randomBytes } from "./testing/random.ts";

const limits: ReaderLimits = { maxFrame: 16_384, maxBlock: 1000, maxContinuations: 5, maxEmptyFrames: 2 };

/** What a reader tells, pieces of one DATA frame joined. */
class Transcript implements FrameSink {
  readonly said: string[] = [];
  private data = "";

  onDataFrame(streamId: number, length: number, payload: number): void {
    this.said.push(`data frame ${streamId} ${length} ${payload}`);
    this.data = "";
  }

  onData(streamId: number, _flags: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    this.data += bytes.toString("hex", start, end);
    if (last) this.said.push(`data ${streamId} ${this.data}`);
  }

  onHeaders(streamId: number, flags: number, self: boolean, bytes: Buffer, start: number, end: number): void {
    const priority = self ? " depends on itself" : "";
    this.said.push(`headers ${streamId} ${flags & Flag.endStream} ${bytes.toString("hex", start, end)}${priority}`);
  }

  onFrame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): void {
    this.said.push(`frame ${type} ${flags} ${streamId} ${bytes.toString("hex", start, end)}`);
  }

  onFault(code: number): void {
    this.said.push(`fault ${code}`);
  }
}

function read(pieces: readonly Buffer[], preface = false): string[] {
  const transcript = new Transcript();
  const reader = new FrameReader(transcript, limits, preface);
  for (const piece of pieces) {
    // Each piece in a buffer of its own that is overwritten afterwards: nothing may be kept.
    const copy = Buffer.concat([Buffer.from("ff"), piece, Buffer.from("ff")]);
    reader.read(copy, 2, 2 + piece.length);
    copy.fill(0xee);
  }
  return transcript.said;
}

const { data, headers, priority, rstStream, settings, pushPromise, ping, goAway, windowUpdate, continuation } =
  FrameType;
const { endHeaders, endStream, padded, ack } = Flag;

describe("frames", () => {
  test.each<[string, Buffer, string[]]>([
    ["DATA", frame(data, endStream, 1, "010203"), ["data frame 1 3 3", "data 1 010203"]],
    ["empty DATA", frame(data, 0, 1), ["data frame 1 0 0", "data 1 "]],
    ["padded DATA", frame(data, padded, 1, "02aabb0000"), ["data frame 1 5 2", "data 1 aabb"]],
    ["DATA of padding only", frame(data, padded, 1, "020000"), ["data frame 1 3 0", "data 1 "]],
    ["HEADERS", frame(headers, endHeaders, 3, "8286"), ["headers 3 0 8286"]],
    ["HEADERS, padded, with priority", frame(headers, 0x2d, 3, "01000000010f828600"), ["headers 3 1 8286"]],
    ["HEADERS, dependent on itself", frame(headers, 0x24, 3, "000000030f82"), ["headers 3 0 82 depends on itself"]],
    [
      "CONTINUATION",
      Buffer.concat([frame(headers, endStream, 3, "82"), frame(continuation, 0, 3, "86"), frame(9, 4, 3, "84")]),
      ["headers 3 1 828684"],
    ],
    ["SETTINGS", frame(settings, 0, 0, "000300000064"), ["frame 4 0 0 000300000064"]],
    ["PING", frame(ping, ack, 0, "0102030405060708"), ["frame 6 1 0 0102030405060708"]],
    ["GOAWAY", frame(goAway, 0, 0, "000000050000000061"), ["frame 7 0 0 000000050000000061"]],
    ["RST_STREAM", frame(rstStream, 0, 5, "00000008"), ["frame 3 0 5 00000008"]],
    ["PRIORITY", frame(priority, 0, 5, "0000000100"), ["frame 2 0 5 0000000100"]],
    [
      "an unknown type",
      Buffer.concat([frame(0xbb, 0xff, 7, "0102"), frame(ping, 0, 0, "00".repeat(8))]),
      [`frame 6 0 0 ${"00".repeat(8)}`],
    ],
    ["the reserved bit", frame(windowUpdate, 0, 0x80000001 | 0, "00000001"), ["frame 8 0 1 00000001"]],
  ])("%s", (_name, bytes, expected) => {
    expect(read([bytes])).toEqual(expected);
  });

  test.each<[string, Buffer, number]>([
    ["a frame larger than 16 KiB", frame(data, 0, 1, Buffer.alloc(16_385)), 6],
    ["DATA on stream 0", frame(data, 0, 0, "00"), 1],
    ["HEADERS on stream 0", frame(headers, endHeaders, 0, "82"), 1],
    ["PRIORITY on stream 0", frame(priority, 0, 0, "0000000100"), 1],
    ["RST_STREAM on stream 0", frame(rstStream, 0, 0, "00000000"), 1],
    ["PUSH_PROMISE on stream 0", frame(pushPromise, 0, 0, "00000002"), 1],
    ["SETTINGS on a stream", frame(settings, 0, 1), 1],
    ["PING on a stream", frame(ping, 0, 1, "00".repeat(8)), 1],
    ["GOAWAY on a stream", frame(goAway, 0, 1, "00".repeat(8)), 1],
    ["CONTINUATION of nothing", frame(continuation, endHeaders, 1, "82"), 1],
    ["CONTINUATION of another stream", Buffer.concat([frame(headers, 0, 1, "82"), frame(continuation, 4, 3, "82")]), 1],
    ["a frame inside a field block", Buffer.concat([frame(headers, 0, 1, "82"), frame(ping, 0, 0, "00".repeat(8))]), 1],
    ["an unknown frame inside a field block", Buffer.concat([frame(headers, 0, 1, "82"), frame(0xbb, 0, 1, "00")]), 1],
    ["RST_STREAM of 3 bytes", frame(rstStream, 0, 1, "000000"), 6],
    ["WINDOW_UPDATE of 5 bytes", frame(windowUpdate, 0, 0, "0000000000"), 6],
    ["PING of 7 bytes", frame(ping, 0, 0, "00".repeat(7)), 6],
    ["GOAWAY of 7 bytes", frame(goAway, 0, 0, "00".repeat(7)), 6],
    ["SETTINGS of 5 bytes", frame(settings, 0, 0, "0000000000"), 6],
    ["an acknowledgement with settings", frame(settings, ack, 0, "000300000064"), 6],
    ["padding longer than DATA", frame(data, padded, 1, "050000"), 1],
    ["padded DATA without a length", frame(data, padded, 1), 6],
    ["padding longer than HEADERS", frame(headers, 0xc, 1, "0582"), 1],
    ["HEADERS too short for their priority", frame(headers, 0x24, 1, "000000"), 6],
    [
      "a field block past its limit",
      Buffer.concat([frame(headers, 0, 1, Buffer.alloc(900)), frame(9, 4, 1, Buffer.alloc(101))]),
      11,
    ],
    [
      "too many CONTINUATION frames",
      Buffer.concat([frame(headers, 0, 1, "82"), ...Array.from({ length: 6 }, () => frame(9, 0, 1, "82"))]),
      11,
    ],
    ["empty frames", Buffer.concat(Array.from({ length: 3 }, () => frame(data, 0, 1))), 11],
  ])("refuses %s", (_name, bytes, code) => {
    expect(read([bytes]).at(-1)).toBe(`fault ${code}`);
  });

  test("nothing is told after a fault", () => {
    const bytes = Buffer.concat([frame(ping, 0, 1, "00".repeat(8)), frame(ping, 0, 0, "00".repeat(8))]);
    expect(read([bytes, bytes])).toEqual(["fault 1"]);
  });

  test("a client begins with its preface", () => {
    expect(read([clientPreface, frame(settings, 0, 0)], true)).toEqual(["frame 4 0 0 "]);
    expect(read([Buffer.from("GET / HTTP/1.1\r\n")], true)).toEqual(["fault 1"]);
  });
});

test("any split of any stream says the same", () => {
  const random = fractionsFrom(9113);
  for (let round = 0; round < 400; round++) {
    const stream = Buffer.concat([clientPreface, ...Array.from({ length: 12 }, () => randomFrame(random))]);
    const whole = read([stream], true);
    for (let again = 0; again < 3; again++) expect(read(cut(random, stream), true)).toEqual(whole);
  }
});

test("any split of what hardly is a stream says the same", () => {
  const random = fractionsFrom(9113);
  for (let round = 0; round < 400; round++) {
    const stream = Buffer.concat(Array.from({ length: 6 }, () => randomFrame(random)));
    for (let i = 0; i < 3; i++) stream[Math.floor(random() * stream.length)] = random() * 256;
    expect(read(cut(random, stream))).toEqual(read([stream]));
  }
});

function randomFrame(random: () => number): Buffer {
  const streamId = 1 + 2 * Math.floor(random() * 4);
  const payload = randomBytes(random, random() < 0.1 ? random() * 3000 : 1 + random() * 30);
  const pad = Buffer.concat([Buffer.from([3]), payload, Buffer.alloc(3)]);
  return pick<() => Buffer>(random, [
    () => frame(data, random() < 0.3 ? endStream : 0, streamId, payload),
    () => frame(data, padded, streamId, pad),
    () => frame(headers, endHeaders | (random() < 0.3 ? endStream : 0), streamId, payload),
    () => frame(headers, endHeaders | padded, streamId, pad),
    () => Buffer.concat([frame(headers, 0, streamId, payload), frame(continuation, endHeaders, streamId, payload)]),
    () => frame(settings, 0, 0, Buffer.concat([Buffer.from("0003", "hex"), uint32(random() * 1000)])),
    () => frame(ping, random() < 0.5 ? ack : 0, 0, randomBytes(random, 8)),
    () => frame(windowUpdate, 0, pick(random, [0, streamId]), uint32(1 + random() * 1000)),
    () => frame(rstStream, 0, streamId, uint32(random() * 14)),
    () => frame(priority, 0, streamId, randomBytes(random, 5)),
    () => frame(goAway, 0, 0, randomBytes(random, 8 + random() * 20)),
    () => frame(0x10 + Math.floor(random() * 200), random() * 256, streamId, payload),
  ])();
}
