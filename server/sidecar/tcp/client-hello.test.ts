import { describe, expect, it } from "vitest";
import { randomFrom } from "../../lib/testing/random.ts";
import { maxClientHelloBytes, readClientHello } from "./client-hello.ts";
import { realHello } from "./testing/real-hello.ts";

/** The same hello in records of at most `size` bytes of payload. */
function inRecords(hello: Buffer, size: number): Buffer {
  const body = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < body.length; at += size) {
    const payload = body.subarray(at, at + size);
    const head = Buffer.from([22, 3, 1, 0, 0]);
    head.writeUInt16BE(payload.length, 3);
    records.push(head, payload);
  }
  return Buffer.concat(records);
}

const hello = await realHello({ servername: "Www.Example.COM", ALPNProtocols: ["h2", "http/1.1"] });
const expected = { kind: "tls", serverName: "www.example.com", protocols: ["h2", "http/1.1"] };

describe("a ClientHello", () => {
  it("tells server name and protocols", () => expect(readClientHello(hello)).toEqual(expected));

  it("may have neither", async () => {
    expect(readClientHello(await realHello({}))).toEqual({ kind: "tls", serverName: "", protocols: [] });
  });

  it("is incomplete until its last byte, never wrong", () => {
    for (let length = 0; length < hello.length; length++) {
      expect(readClientHello(hello.subarray(0, length)).kind, `${length} bytes`).toBe("incomplete");
    }
  });

  it("may be spread over records, and be followed by more", () => {
    for (const size of [1, 3, 100]) {
      const records = inRecords(hello, size);
      expect(readClientHello(Buffer.concat([records, Buffer.from("early data")]))).toEqual(expected);
      expect(readClientHello(records.subarray(0, records.length - 1)).kind).toBe("incomplete");
    }
  });

  it.each([
    ["plain text", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["an alert", Buffer.from([21, 3, 1, 0, 2, 1, 0])],
    ["another handshake message", Buffer.from([22, 3, 3, 0, 4, 2, 0, 0, 0])],
    ["an empty record", Buffer.from([22, 3, 3, 0, 0])],
    ["a record that is too long", Buffer.from([22, 3, 3, 0x40, 1])],
    ["SSL 2", Buffer.from([22, 2, 0, 0, 4])],
    ["one that ends too early", Buffer.from([22, 3, 3, 0, 8, 1, 0, 0, 4, 3, 3, 0, 0])],
  ])("is not %s", (_, bytes) => expect(readClientHello(bytes).kind).toBe("not_tls"));

  it("is too large past the limit", () => {
    const bytes = Buffer.from([22, 3, 3, 0x40, 0, 1, 0, 0, 0]);
    bytes.writeUIntBE(maxClientHelloBytes, 6, 3);
    expect(readClientHello(bytes).kind).toBe("too_large");
  });

  it("never crashes and never waits for more than its bound, whatever comes", () => {
    const random = randomFrom(1);
    for (let run = 0; run < 20_000; run++) {
      // Pure noise is turned away at once; a real hello with some bytes changed reaches further in.
      const bytes =
        run % 4 === 0 ? Buffer.from(Array.from({ length: random(300) }, () => random(256))) : Buffer.from(hello);
      if (run % 4 > 0) for (let change = random(8); change >= 0; change--) bytes[random(bytes.length)] = random(256);
      const whole = readClientHello(bytes);
      const cut = random(bytes.length + 1);
      const part = readClientHello(bytes.subarray(0, cut));
      // What was said of a part holds for the whole.
      if (part.kind !== "incomplete")
        expect(whole, `run ${run}, ${cut} bytes of ${bytes.toString("hex")}`).toEqual(part);
    }
    const endless = Buffer.alloc(
      3 * maxClientHelloBytes,
      inRecords(Buffer.concat([Buffer.alloc(5), Buffer.from([1])]), 1),
    );
    expect(readClientHello(endless).kind).not.toBe("incomplete");
  });
});
