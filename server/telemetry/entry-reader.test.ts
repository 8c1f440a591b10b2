import { expect, it } from "vitest";
import { EntryReader } from "./entry-reader.ts";
import { LogEntry } from "./log-entry.ts";
import { encodedLogs } from "./testing/encoded-logs.ts";

const message = encodedLogs({
  http: [
    {
      commonProperties: {
        startTime: { seconds: 1000n, nanos: 5 },
        upstreamCluster: "outbound|9080||reviews",
        customTags: { "limpid.destination": "a;b;c;d;e", other: "x" },
        tlsProperties: {
          peerCertificateProperties: { subjectAltName: [{ san: { case: "uri", value: "spiffe://x" } }] },
        },
      },
      request: {
        authority: "reviews:9080",
        path: "/",
        userAgent: "curl/8",
        requestHeaders: { "x-limpid-peer": "p;n;a;v;c", cookie: "s" },
      },
      response: { responseCode: 503, responseTrailers: { "grpc-status": "14" } },
    },
    { commonProperties: {} },
  ],
});

const read = (bytes: Buffer): LogEntry[] => {
  const entries: LogEntry[] = [];
  new EntryReader().read(
    bytes,
    () => true,
    (entry) => entries.push(Object.assign(new LogEntry(), entry)),
  );
  return entries;
};

it("leaves nothing of one entry in the next", () => {
  const [first, second] = read(message);
  expect(first).toMatchObject({
    code: 503,
    userAgent: "curl/8",
    peer: "p;n;a;v;c",
    mtls: true,
    peerUri: "spiffe://x",
    grpcStatus: "14",
  });
  expect(second).toEqual(new LogEntry());
});

it("reads the same of whatever stands in what was read before", () => {
  expect(read(Buffer.concat([message, message]))).toEqual([...read(message), ...read(message)]);
});

it("throws nothing but a RangeError at bytes that are no message (seed 7)", () => {
  let state = 7;
  const below = (n: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state % n;
  };
  for (let round = 0; round < 3000; round++) {
    const bytes = Buffer.from(message);
    for (let i = 0; i <= below(4); i++) bytes[below(bytes.length)] = below(256);
    try {
      read(bytes.subarray(0, round % 3 ? bytes.length : below(bytes.length)));
    } catch (error) {
      expect(error).toBeInstanceOf(RangeError);
    }
  }
});
