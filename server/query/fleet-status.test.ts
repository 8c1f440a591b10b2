import { expect, test } from "vitest";
import { type KnownProxy, ProxyList, type ProxySync } from "../contract/index.ts";
import { type FleetProxy, listProxies } from "./fleet-status.ts";
import { missingProxies } from "./missing-proxies.ts";

const nothing = { state: "SYNCED" as const, resources: 1, sinceMs: 1, errors: [] };
const base = (name: string) => ({
  id: `sidecar~127.0.1.1~${name}.default~x`,
  name,
  namespace: "default",
  address: "127.0.1.1",
  app: name,
  version: "v1",
  kind: "sidecar" as const,
});
const connected = (name: string): FleetProxy => ({
  ...base(name),
  implementation: "envoy 1.40.0",
  protocol: "delta",
  connectedAt: 5,
  identity: null,
  certificate: null,
  types: {
    LDS: nothing,
    RDS: nothing,
    VHDS: nothing,
    CDS: nothing,
    EDS: nothing,
    SDS: nothing,
    ECDS: nothing,
    RTDS: nothing,
  },
  revision: 9,
  resources: [],
});
const known = (name: string, disconnectedAt: number | null): KnownProxy => ({
  ...base(name),
  metricsPort: null,
  implementation: "envoy 1.40.0",
  protocol: "delta",
  connected: disconnectedAt === null,
  connectedAt: 5,
  disconnectedAt,
  heldRevision: 7,
  identity: null,
});

const list = () =>
  listProxies(
    {
      connected: async () => [connected("a")],
      known: async () => [known("a", null), known("b", 80)],
      expected: async () => [base("a"), base("b"), { ...base("c"), id: "sidecar~127.0.1.9~c.default~x" }],
      usage: async () => new Map(),
    },
    100,
  );

test("who is expected is in the list, connected or not", async () => {
  const { proxies } = ProxyList.parse(await list());
  const told = ({ name, connected: is, disconnectedAt, heldRevision }: ProxySync) => [
    name,
    is,
    disconnectedAt,
    heldRevision,
  ];
  expect(proxies.map(told)).toEqual([
    ["a", true, null, 7],
    ["b", false, 80, 7],
    ["c", false, null, null],
  ]);
});

test("a proxy that came back under another address is not missed by who only knows its workload", async () => {
  const { proxies } = await listProxies(
    {
      connected: async () => [connected("a")],
      known: async () => [],
      expected: async () => [{ ...base("a"), id: "sidecar~127.0.1.7~a.default~x" }],
      usage: async () => new Map(),
    },
    100,
  );
  expect(proxies.map(({ id }) => id)).toEqual([base("a").id]);
});

test("a service misses the proxies of its own workloads", async () => {
  const { proxies } = await list();
  const versions = [{ version: "v1", subset: null, workloads: ["a", "b"], endpoints: [] }];
  expect(missingProxies({ namespace: "default", versions }, proxies)).toEqual([
    { id: base("b").id, name: "b", disconnectedAt: 80, heldRevision: 7 },
  ]);
  expect(missingProxies({ namespace: "other", versions }, proxies)).toEqual([]);
});
