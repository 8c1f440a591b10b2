import { describe, expect, it } from "vitest";
import { proxyBinary, proxyLine, readProxyHeader } from "./proxy-header.ts";

const source = { address: "10.1.2.3", port: 1111 };
const destination = { address: "10.4.5.6", port: 80 };
const six = (address: string, port: number) => ({ address, port });

describe("what is written is read", () => {
  it.each([
    ["version 1", proxyLine(source, destination), 1, { source, destination, tlvs: [] }],
    ["version 2", proxyBinary({ source, destination, tlvs: [] }), 2, { source, destination, tlvs: [] }],
    [
      "version 2, IPv6 and more",
      proxyBinary({
        source: six("2001:db8::1", 7),
        destination: six("::", 8),
        tlvs: [{ type: 5, value: Buffer.from("id") }],
      }),
      2,
      { source: six("2001:db8::1", 7), destination: six("::", 8), tlvs: [{ type: 5, value: Buffer.from("id") }] },
    ],
    [
      "both families",
      proxyBinary({ source, destination: six("fe80::1:0:0:1", 8), tlvs: [] }),
      2,
      { source: six("::ffff:a01:203", 1111), destination: six("fe80::1:0:0:1", 8), tlvs: [] },
    ],
    ["the proxy's own", proxyBinary(undefined), 2, undefined],
  ] as const)("%s", (_, bytes, version, proxied) => {
    const whole = Buffer.concat([bytes, Buffer.from("GET /")]);
    expect(readProxyHeader(whole)).toEqual({ kind: "found", version, length: bytes.length, proxied });
    // However it is cut, it is the same or not yet there.
    for (let end = 0; end < bytes.length; end++) {
      expect(readProxyHeader(whole.subarray(0, end)), `${end} bytes`).toEqual({ kind: "incomplete" });
    }
  });

  it("version 1 is a line that people can read", () => {
    expect(proxyLine(source, destination).toString()).toBe("PROXY TCP4 10.1.2.3 10.4.5.6 1111 80\r\n");
    expect(proxyLine(six("::1", 1), destination).toString()).toBe("PROXY TCP6 ::1 ::ffff:10.4.5.6 1 80\r\n");
  });
});

const binary = (hex: string) => Buffer.from(`0d0a0d0a000d0a515549540a${hex}`, "hex");

it.each<[string, Buffer, object]>([
  ["nothing of the kind", Buffer.from("GET / HTTP/1.1\r\n"), { kind: "none" }],
  ["a word that only begins like it", Buffer.from("PROXZ"), { kind: "none" }],
  ["an unknown family", Buffer.from("PROXY UNKNOWN a b c\r\n"), { kind: "found", version: 1, proxied: undefined }],
  ["a line without end", Buffer.from(`PROXY TCP4 ${"1".repeat(100)}`), { kind: "bad", version: 1 }],
  ["an address of the other family", Buffer.from("PROXY TCP4 ::1 ::1 1 2\r\n"), { kind: "bad", version: 1 }],
  ["a port that is none", Buffer.from("PROXY TCP4 1.1.1.1 1.1.1.2 1 65536\r\n"), { kind: "bad", version: 1 }],
  ["too many words", Buffer.from("PROXY TCP4 1.1.1.1 1.1.1.2 1 2 3\r\n"), { kind: "bad", version: 1 }],
  ["another version", binary("31110000"), { kind: "bad", version: 2 }],
  ["another command", binary("22110000"), { kind: "bad", version: 2 }],
  ["too short for its addresses", binary("211100020000"), { kind: "bad", version: 2 }],
  [
    "a piece that is longer than the rest",
    binary("2111001001020304050607080001000205000900"),
    { kind: "bad", version: 2 },
  ],
  ["a family without addresses", binary("210000020000"), { kind: "found", version: 2, length: 18, proxied: undefined }],
])("%s", (_, bytes, expected) => {
  expect(readProxyHeader(bytes)).toMatchObject(expected);
});
