import { expect, test } from "vitest";
import type { ConfigObject } from "../../config/object.ts";
import { silentLogger } from "../../lib/logger.ts";
import { FakeClock } from "../../lib/testing/fake-clock.ts";
import { buildMesh, type Mesh, updateMesh } from "../../model/mesh.ts";
import { parseProxy } from "../../model/parse-proxy.ts";
import type { RegisteredWorkload } from "../../model/registered-workloads.ts";
import { objectsOf } from "../../translate/testing/cases.ts";
import { Metrics } from "../metrics.ts";
import { registrationCounters } from "./counters.ts";
import { registrationRequest } from "./registration-request.ts";
import { type RegistrationStore, Registrations } from "./registrations.ts";

const group = `
apiVersion: networking.istio.io/v1
kind: WorkloadGroup
metadata: { name: reviews, namespace: default }
spec:
  metadata: { labels: { app: reviews, tier: back }, annotations: { owner: me } }
  template: { ports: { http: 9080 }, serviceAccount: reviews, labels: { app: other, from: template } }
`;
const service = `
apiVersion: v1
kind: Service
metadata: { name: reviews, namespace: default }
spec: { selector: { app: reviews }, ports: [{ name: http, port: 80 }] }
`;

interface Asked {
  ip?: string;
  name?: string;
  account?: string;
  metadata?: Record<string, unknown>;
}

function asks({ ip = "10.0.0.1", name = "reviews-a", account = "reviews", metadata = {} }: Asked = {}) {
  const all = {
    NAMESPACE: "default",
    WORKLOAD_NAME: name,
    SERVICE_ACCOUNT: account,
    AUTO_REGISTER_GROUP: "reviews",
    LABELS: { version: "v2", tier: "front", "istio-locality": "eu.a" },
    ...metadata,
  };
  const id = `sidecar~${ip}~${name}.default~default.svc.cluster.local`;
  const parsed = parseProxy({ id, cluster: "", metadata: all, userAgentName: "envoy", delta: true });
  if (!parsed.ok) throw new Error("no proxy");
  const request = registrationRequest(parsed.value, all);
  if (!request) throw new Error("no request");
  return request;
}

function registry(options: { store?: RegistrationStore; objects?: string; clock?: FakeClock } = {}) {
  const clock = options.clock ?? new FakeClock();
  let mesh: Mesh = buildMesh(objectsOf(options.objects ?? `${group}---${service}`), 7);
  const registrations = new Registrations({
    clock,
    logger: silentLogger,
    controller: "one",
    mesh: () => mesh,
    onChange() {
      mesh = updateMesh(mesh, registrations.changesFor(mesh), mesh.revision);
    },
    count: registrationCounters(new Metrics()),
    ...(options.store && { store: options.store }),
  });
  return {
    clock,
    registrations,
    mesh: () => mesh,
    entries: () => [...(mesh.objects.get("WorkloadEntry")?.values() ?? [])],
    change(objects: ConfigObject[], type: "ADDED" | "DELETED" = "ADDED") {
      const changes = objects.map((after) => ({
        type,
        key: { kind: after.kind, namespace: after.metadata.namespace, name: after.metadata.name },
        after,
      }));
      mesh = updateMesh(mesh, changes, mesh.revision + 1);
      mesh = updateMesh(mesh, registrations.changesFor(mesh), mesh.revision);
    },
    ready: () =>
      [...mesh.endpoints.values()].flatMap(({ byPort }) =>
        [...byPort.values()].flat().map(({ address, port, ready }) => `${address}:${port} ${ready}`),
      ),
  };
}

const probed = { PROXY_CONFIG: { readinessProbe: { tcpSocket: { port: 1 } } } };

test("an entry is made of group and node, as istiod makes it", () => {
  const { registrations, entries, ready } = registry();
  registrations.connected({}, asks({ metadata: { NETWORK: "n1" } }));
  const [entry] = entries();
  expect(entry?.metadata).toMatchObject({
    name: "reviews-10.0.0.1-n1",
    annotations: { "istio.io/autoRegistrationGroup": "reviews", "istio.io/workloadController": "one", owner: "me" },
    ownerReferences: [{ kind: "WorkloadGroup", name: "reviews" }],
  });
  expect(entry?.metadata.annotations?.["istio.io/connectedAt"]).toBeDefined();
  expect(entry?.spec).toEqual({
    address: "10.0.0.1",
    ports: { http: 9080 },
    serviceAccount: "reviews",
    network: "n1",
    locality: "eu/a",
    labels: {
      app: "reviews",
      from: "template",
      tier: "front",
      version: "v2",
      "service.istio.io/workload-name": "reviews-a",
    },
  });
  expect(ready()).toEqual(["10.0.0.1:9080 true"]);
});

test("one whose proxy leaves stays for ten seconds, and for good where it comes back", () => {
  const { registrations, entries, clock } = registry();
  const first = {};
  registrations.connected(first, asks());
  registrations.disconnected(first);
  expect(entries()[0]?.metadata.annotations?.["istio.io/disconnectedAt"]).toBeDefined();
  clock.advance(9_000);
  const second = {};
  registrations.connected(second, asks());
  clock.advance(60_000);
  expect(entries()).toHaveLength(1);
  // Two streams of one proxy for a moment: the end of the older is none of the newer.
  const third = {};
  registrations.connected(third, asks());
  registrations.disconnected(second);
  clock.advance(60_000);
  expect(entries()).toHaveLength(1);
  registrations.disconnected(third);
  clock.advance(10_000);
  expect(entries()).toEqual([]);
});

test("what is probed takes requests once it is well, and keeps what it said while its control plane was away", () => {
  const { registrations, entries, ready } = registry();
  const stream = {};
  registrations.connected(stream, asks({ metadata: probed }));
  expect(ready()).toEqual(["10.0.0.1:9080 false"]);
  registrations.reported(stream, undefined);
  expect(ready()).toEqual(["10.0.0.1:9080 true"]);
  expect(entries()[0]?.status).toMatchObject({ conditions: [{ type: "Healthy", status: "True" }] });
  registrations.reported(stream, "connection refused");
  expect(ready()).toEqual(["10.0.0.1:9080 false"]);
  expect(entries()[0]?.status).toMatchObject({ conditions: [{ status: "False", message: "connection refused" }] });
  registrations.reported(stream, undefined);
  registrations.disconnected(stream);
  registrations.connected({}, asks({ metadata: probed }));
  expect(ready()).toEqual(["10.0.0.1:9080 true"]);
});

test("who is of no group, of another account, or at an address that is taken is turned away with a sentence", () => {
  const { registrations } = registry();
  const request = asks();
  expect(() => registrations.connected({}, { ...request, group: "ratings" })).toThrow(
    "there is no WorkloadGroup default/ratings (node metadata AUTO_REGISTER_GROUP)",
  );
  expect(() => registrations.connected({}, asks({ account: "ratings" }))).toThrow(
    'workloads of WorkloadGroup default/reviews have the service account "reviews", and this one has "ratings"',
  );
  registrations.connected({}, request);
  expect(() => registrations.connected({}, asks({ name: "reviews-b" }))).toThrow(
    "WorkloadEntry default/reviews-10.0.0.1 is that of sidecar~10.0.0.1~reviews-a.default~default.svc.cluster.local, which is connected",
  );
});

test("a changed group changes its workloads, and one that is gone has none until it is back", () => {
  const { registrations, entries, change } = registry();
  registrations.connected({}, asks());
  const [changed] = objectsOf(group.replace("9080", "9090"));
  change(changed ? [changed] : []);
  expect(entries()[0]?.spec).toMatchObject({ ports: { http: 9090 } });
  change(objectsOf(group), "DELETED");
  expect(entries()).toEqual([]);
  change(objectsOf(group));
  expect(entries()).toHaveLength(1);
});

test("an entry that somebody wrote under the same name is let stand", () => {
  const { registrations, entries, change } = registry();
  const [written] = objectsOf(`
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: reviews-10.0.0.1, namespace: default }
spec: { address: 10.9.9.9 }
`);
  registrations.connected({}, asks());
  change(written ? [written] : []);
  expect(entries().map(({ spec }) => spec.address)).toEqual(["10.9.9.9"]);
  change(written ? [written] : [], "DELETED");
  expect(entries().map(({ spec }) => spec.address)).toEqual(["10.0.0.1"]);
});

test("after a control plane that was killed, whose proxy does not come back within a minute is gone", async () => {
  const saved = new Map<string, RegisteredWorkload>();
  const store: RegistrationStore = {
    load: async () => [...saved.values()],
    async save(changes) {
      for (const [key, workload] of changes) {
        if (workload) saved.set(key, workload);
        else saved.delete(key);
      }
    },
  };
  const clock = new FakeClock();
  const before = registry({ store, clock });
  before.registrations.connected({}, asks());
  before.registrations.connected({}, asks({ ip: "10.0.0.2", name: "reviews-b" }));
  clock.advance(50);
  await before.registrations.stop();
  expect([...saved.values()].map(({ disconnectedAt }) => disconnectedAt)).toEqual([null, null]);

  const after = registry({ store, clock });
  await after.registrations.start();
  after.change([]);
  expect(after.entries()).toHaveLength(2);
  clock.advance(20_000);
  after.registrations.connected({}, asks());
  clock.advance(39_000);
  expect(after.entries()).toHaveLength(2);
  clock.advance(1_000);
  expect(after.entries().map(({ metadata }) => metadata.name)).toEqual(["reviews-10.0.0.1"]);
});

test("watchers are told what changed since, and whether it is known", async () => {
  const { registrations, mesh } = registry();
  expect(registrations.log.since(7)).toBeUndefined();
  registrations.connected({}, asks());
  expect(registrations.log.since(mesh().revision)?.map(({ type }) => type)).toEqual(["ADDED"]);
  expect(registrations.log.since(1)).toBeUndefined();
  const stop = new AbortController();
  const heard: string[] = [];
  const following = (async () => {
    for await (const changes of registrations.log.follow(stop.signal)) {
      heard.push(...changes.map(({ type }) => type));
      stop.abort();
    }
  })();
  registrations.remove("default/reviews-10.0.0.1");
  await following;
  expect(heard).toEqual(["DELETED"]);
});
