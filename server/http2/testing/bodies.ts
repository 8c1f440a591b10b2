import { Flag, FrameType } from "../frames.ts";
import { frame } from "./frame.ts";
import { start, withField } from "./heads.ts";
import type { RawPeer } from "./raw-peer.ts";

type Row = [name: string, frames: (peer: RawPeer) => Buffer[]];

const twoBytes = frame(FrameType.data, Flag.endStream, 1, "0102");

/** Bodies that are not what their head says: they end their stream, whatever the options. */
export const wrongLengths: Row[] = [
  [
    "a body longer than its content-length",
    (peer) => [peer.headers(1, withField("content-length", "1"), false), twoBytes],
  ],
  [
    "a body shorter than its content-length",
    (peer) => [peer.headers(1, withField("content-length", "3"), false), twoBytes],
  ],
];

export const malformedTrailers: Row[] = [
  [
    "trailers that do not end the stream",
    (peer) => [peer.headers(1, start, false), peer.headers(1, ["x", "1"], false)],
  ],
  ["a pseudo-header among trailers", (peer) => [peer.headers(1, start, false), peer.headers(1, [":path", "/"])]],
  ["an upper-case name among trailers", (peer) => [peer.headers(1, start, false), peer.headers(1, ["X", "1"])]],
];
