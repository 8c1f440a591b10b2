import { describe, expect, it } from "vitest";
import { formatPeer } from "../wire/peer.ts";
import { readNode } from "./peer.ts";
import { PeerBook } from "./peer-book.ts";
import { unknownPeer } from "./record.ts";

const peer = (app: string, version = "v1", namespace = "default") => ({
  workload: `${app}-${version}`,
  namespace,
  app,
  version,
});
const proxy = (app: string, version = "v1", account = `bookinfo-${app}`, ip = "127.0.0.1") =>
  readNode({
    id: `sidecar~${ip}~${app}-${version}.default~default.svc.cluster.local`,
    cluster: `${app}.default`,
    metadata: {
      NAMESPACE: "default",
      WORKLOAD_NAME: `${app}-${version}`,
      SERVICE_ACCOUNT: account,
      LABELS: { app, version },
    },
  });
const header = (app: string, version = "v1", namespace = "default") =>
  formatPeer(peer(app, version, namespace), "limpid");
const uri = (account: string, namespace = "default") => `spiffe://cluster.local/ns/${namespace}/sa/${account}`;

function book() {
  const peers = new PeerBook({ maxClaims: 5, maxClaimsOfIdentity: 3, claimMs: 1000 });
  for (const node of [proxy("details"), proxy("productpage"), proxy("reviews", "v1"), proxy("reviews", "v2")]) {
    peers.addProxy(node);
  }
  const certified = (account: string, claim = "", nowMs = 0) =>
    peers.callerOf({ claim, mtls: true, uri: uri(account), ip: "" }, nowMs);
  const plain = (claim: string, nowMs = 0, ip = "") => peers.callerOf({ claim, mtls: false, uri: "", ip }, nowMs);
  return { peers, certified, plain };
}

describe("over mutual TLS", () => {
  it("a caller is who its certificate says, whatever the header has", () => {
    const { certified, peers } = book();
    expect(certified("bookinfo-details", header("productpage", "v9"))).toEqual(peer("details"));
    expect(certified("bookinfo-details", header("productpage"))).toEqual(peer("details"));
    expect(certified("bookinfo-details", header("details", "v1", "prod"))).toEqual(peer("details"));
    expect(certified("bookinfo-details")).toEqual(peer("details"));
    expect(peers.disbelieved).toBe(3);
  });

  it("the header says which of an account's workloads calls", () => {
    const { certified } = book();
    expect(certified("bookinfo-reviews", header("reviews", "v2"))).toEqual(peer("reviews", "v2"));
    // None that the mesh knows: the app is the account's, so the version may be new.
    expect(certified("bookinfo-reviews", header("reviews", "v3"))).toEqual(peer("reviews", "v3"));
    expect(certified("bookinfo-reviews")).toEqual({ workload: "", namespace: "default", app: "reviews", version: "" });
  });

  it("an account can make but a few versions of itself, and no names of others", () => {
    const { certified } = book();
    const versions = Array.from({ length: 20 }, (_, i) => certified("bookinfo-reviews", header("reviews", `x${i}`)));
    expect(new Set(versions.map((each) => each.version))).toEqual(new Set(["x0", "x1", "x2", ""]));
    // Whom nobody has heard of is believed where it is not somebody else.
    expect(certified("stranger", header("sleep"))).toEqual(peer("sleep"));
    expect(certified("stranger", header("productpage", "v7"))).toMatchObject({ app: "stranger", workload: "" });
  });

  it("a certificate without a workload's name tells nothing", () => {
    const { peers } = book();
    const caller = { claim: header("details"), mtls: true, uri: "https://example.com/x", ip: "" };
    expect(peers.callerOf(caller, 0)).toBe(unknownPeer);
  });
});

describe("in plain text", () => {
  it("a header may name a proxy of the mesh, and a few others", () => {
    const { plain, peers } = book();
    expect(plain(header("details"))).toEqual(peer("details"));
    const names = Array.from({ length: 100 }, (_, i) => plain(header(`forged-${i}`)));
    expect(new Set(names.map((each) => each.app)).size).toBe(6); // five, and nobody
    expect(peers.disbelieved).toBe(95);
    expect(plain(header("forged-1"))).toEqual(peer("forged-1"));
    // Names that are no more make room.
    expect(plain(header("late"), 5000)).toEqual(peer("late"));
  });

  it("an address that one workload has tells who calls, one that many have does not", () => {
    const { plain, peers } = book();
    peers.addProxy(proxy("ratings", "v1", "bookinfo-ratings", "10.0.0.7"));
    expect(plain("", 0, "10.0.0.7")).toEqual(peer("ratings"));
    peers.addProxy(proxy("mysql", "v1", "mysql", "10.0.0.7"));
    expect(plain("", 0, "10.0.0.7")).toBe(unknownPeer);
    expect(plain("", 0, "127.0.0.1")).toBe(unknownPeer);
  });
});
