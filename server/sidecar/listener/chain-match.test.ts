import { create } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { FilterChainMatchSchema } from "../../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import { ChainIndex, type ConnectionFacts, compileChainMatch } from "./chain-match.ts";

type Init = Parameters<typeof create<typeof FilterChainMatchSchema>>[1];

const index = (chains: Record<string, Init>) =>
  new ChainIndex(
    Object.entries(chains).map(([chain, match]) => ({
      chain,
      match: compileChainMatch(match && create(FilterChainMatchSchema, match)),
    })),
  );

const plain: ConnectionFacts = {
  localAddress: "127.0.0.1",
  localPort: 443,
  serverName: "",
  transportProtocol: "raw_buffer",
  applicationProtocols: [],
};
const tls = (serverName: string, ...applicationProtocols: string[]): ConnectionFacts => ({
  ...plain,
  serverName,
  transportProtocol: "tls",
  applicationProtocols,
});

describe("the filter chain of a connection", () => {
  it("is the exact name's, else the longest wildcard's, else the one without names", () => {
    const chains = index({
      exact: { serverNames: ["a.example.com"] },
      narrow: { serverNames: ["*.example.com", "other"] },
      wide: { serverNames: ["*.com"] },
      rest: {},
    });
    expect(chains.find(tls("a.example.com"))).toBe("exact");
    expect(chains.find(tls("b.a.example.com"))).toBe("narrow");
    expect(chains.find(tls("other"))).toBe("narrow");
    expect(chains.find(tls("example.com"))).toBe("wide");
    expect(chains.find(tls("com"))).toBe("rest");
    expect(chains.find(tls(""))).toBe("rest");
    expect(chains.find(plain)).toBe("rest");
  });

  it("is chosen by port before address, address before name, and never by going back", () => {
    const chains = index({
      port: { destinationPort: 443, serverNames: ["a"] },
      wide: { prefixRanges: [{ addressPrefix: "127.0.0.0", prefixLen: 8 }] },
      narrow: {
        prefixRanges: [
          { addressPrefix: "127.0.1.0", prefixLen: 24 },
          { addressPrefix: "::1", prefixLen: 128 },
        ],
      },
    });
    expect(chains.find(tls("a"))).toBe("port");
    // The port's chains are the only ones for it, though another would take the name.
    expect(chains.find(tls("b"))).toBeUndefined();
    expect(chains.find({ ...plain, localPort: 1, localAddress: "127.0.1.9" })).toBe("narrow");
    expect(chains.find({ ...plain, localPort: 1, localAddress: "127.0.2.9" })).toBe("wide");
    expect(chains.find({ ...plain, localPort: 1, localAddress: "::1" })).toBe("narrow");
    expect(chains.find({ ...plain, localPort: 1, localAddress: "10.0.0.1" })).toBeUndefined();
  });

  it("is chosen by transport, then by the client's first protocol that some chain has", () => {
    const chains = index({
      raw: { transportProtocol: "raw_buffer" },
      h2: { transportProtocol: "tls", applicationProtocols: ["h2"] },
      http1: { transportProtocol: "tls", applicationProtocols: ["http/1.1", "http/1.0"] },
      tls: { transportProtocol: "tls" },
    });
    expect(chains.find(plain)).toBe("raw");
    expect(chains.find(tls("x", "http/1.0", "h2"))).toBe("http1");
    expect(chains.find(tls("x", "spdy", "h2"))).toBe("h2");
    expect(chains.find(tls("x", "spdy"))).toBe("tls");
  });

  it("is not there when none matches", () => {
    expect(index({ a: { serverNames: ["a"] } }).find(tls("b"))).toBeUndefined();
  });
});

describe("a match is refused by its field", () => {
  it.each([
    ["server_names[1]", { serverNames: ["a", "*a.b"] }],
    ["server_names[0]", { serverNames: ["*"] }],
    ["server_names[0]", { serverNames: ["a.*.b"] }],
    ["prefix_ranges[0].address_prefix", { prefixRanges: [{ addressPrefix: "a" }] }],
    ["prefix_ranges[0].prefix_len", { prefixRanges: [{ addressPrefix: "1.2.3.4", prefixLen: 33 }] }],
  ])("%s", (path, match) => {
    expect(() => compileChainMatch(create(FilterChainMatchSchema, match))).toThrow(path);
  });

  it("when an earlier chain takes the same connections", () => {
    expect(() => index({ a: { serverNames: ["a", "b"] }, b: { serverNames: ["b"] } })).toThrow(
      "filter_chains[1].filter_chain_match: matches what filter_chains[0] does",
    );
  });
});
