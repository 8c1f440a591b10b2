import { create, type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { BootstrapSchema } from "../../gen/proto/envoy/config/bootstrap/v3/bootstrap_pb.js";
import { ClusterSchema } from "../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "../../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "../../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { VirtualHostSchema } from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { RouteConfigurationSchema } from "../../gen/proto/envoy/config/route/v3/route_pb.js";
import { SecretSchema } from "../../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { RuntimeSchema } from "../../gen/proto/envoy/service/runtime/v3/rtds_pb.js";
import { TypeUrl } from "../../xds/types.ts";
import { Stats } from "../stats.ts";
import { ConfigState } from "./config-state.ts";
import { Initialization } from "./initialization.ts";
import { type DataPlanePort, XdsResources } from "./resources.ts";
import { staticCluster } from "./testing/static-cluster.ts";

/** A data path that only remembers: clusters need endpoints of their own name, listeners a route of theirs. */
function fakePlane() {
  const calls: string[] = [];
  const clusters = new Set<string>();
  const listeners = new Set<string>();
  let vhds = false;
  const errorsOf = (name: string) => (name.startsWith("bad") ? [`${name} is bad`] : []);
  const plane: DataPlanePort = {
    setCluster({ name }) {
      calls.push(`+cluster ${name}`);
      if (errorsOf(name).length === 0) clusters.add(name);
      return errorsOf(name);
    },
    removeCluster(name) {
      calls.push(`-cluster ${name}`);
      clusters.delete(name);
    },
    setEndpoints({ clusterName }) {
      calls.push(`+endpoints ${clusterName}`);
      return [];
    },
    setSecret({ name }) {
      calls.push(`+secret ${name}`);
      return errorsOf(name);
    },
    setListener({ name }) {
      listeners.add(name);
      return [];
    },
    removeListener: (name) => listeners.delete(name),
    setRouteConfiguration(config) {
      vhds = config.vhds !== undefined;
      return [];
    },
    setVirtualHost(routes, { name }) {
      calls.push(`+host ${routes} ${name}`);
      return [];
    },
    removeVirtualHost: (name) => calls.push(`-host ${name}`),
    requiredEndpoints: () => [...clusters],
    requiredRoutes: () => [...listeners],
    requiredSecrets: () => [...clusters].filter((name) => name.includes("tls")).map((name) => `secret-of-${name}`),
    setExtension: () => [],
    removeExtension: () => {},
    requiredExtensions: () => new Map(),
    wantsVhds: () => vhds,
  };
  return { plane, calls };
}

function setUp(runtime?: ConstructorParameters<typeof XdsResources>[0]["runtime"]) {
  const { plane, calls } = fakePlane();
  const bootstrap = create(BootstrapSchema, { staticResources: { clusters: [staticCluster("xds-grpc", 1)] } });
  const state = new ConfigState(bootstrap, () => 0);
  const stats = new Stats();
  const updates: TypeUrl[] = [];
  let expire = () => {};
  const clock = {
    now: () => 0,
    setTimeout(callback: () => void) {
      expire = callback;
      return { cancel() {} };
    },
  };
  const onUpdate = (typeUrl: TypeUrl) => void updates.push(typeUrl);
  const resources = new XdsResources({ plane, state, stats, clock, fetchTimeoutMs: 15_000, onUpdate, runtime });
  const asked: string[] = [];
  const short = (typeUrl: TypeUrl) => typeUrl.split(".").at(-1);
  resources.attach(
    {
      subscribe: (typeUrl, names) => asked.push(`+${short(typeUrl)} ${[...names].join()}`),
      unsubscribe: (typeUrl, names) => asked.push(`-${short(typeUrl)} ${[...names].join()}`),
    },
    { clusters: true, listeners: true },
  );
  function send<D extends DescMessage>(
    typeUrl: TypeUrl,
    schema: D,
    all: Record<string, MessageShape<D>>,
    removed: string[] = [],
  ) {
    const added = Object.entries(all).map(([name, message]) => ({
      name,
      version: "1",
      value: toBinary(schema, message),
    }));
    return resources.handlers[typeUrl]?.apply({ added, removed, full: false });
  }
  const cluster = (name: string) => ({ [name]: create(ClusterSchema, { name }) });
  return { calls, asked, send, cluster, state, stats, resources, updates, expire: () => expire() };
}

describe("XdsResources", () => {
  it("asks for endpoints, routes and virtual hosts when something refers to them", () => {
    const { asked, send, cluster } = setUp();
    expect(asked).toEqual(["+Cluster *", "+Listener *"]);
    send(TypeUrl.cluster, ClusterSchema, { ...cluster("a"), ...cluster("b") });
    send(TypeUrl.listener, ListenerSchema, { l: create(ListenerSchema, { name: "l" }) });
    send(TypeUrl.route, RouteConfigurationSchema, { l: create(RouteConfigurationSchema, { name: "l", vhds: {} }) });
    send(TypeUrl.cluster, ClusterSchema, {}, ["a"]);
    expect(asked.slice(2)).toEqual([
      "+ClusterLoadAssignment a,b",
      "+RouteConfiguration l",
      "+VirtualHost *",
      "-ClusterLoadAssignment a",
    ]);
  });

  it("asks for secrets that clusters refer to, keeps what is called gone, and shows no key", () => {
    const { asked, send, cluster, calls, state, stats } = setUp();
    send(TypeUrl.cluster, ClusterSchema, cluster("tls"));
    expect(asked.at(-1)).toBe("+Secret secret-of-tls");
    expect(state.awaited(TypeUrl.secret)).toEqual(["secret-of-tls"]);
    const privateKey = { specifier: { case: "inlineString" as const, value: "hush" } };
    const secret = (name: string) =>
      create(SecretSchema, { name, type: { case: "tlsCertificate", value: { privateKey } } });
    send(TypeUrl.secret, SecretSchema, { "secret-of-tls": secret("secret-of-tls") });
    send(TypeUrl.secret, SecretSchema, {}, ["secret-of-tls"]);
    expect(calls.at(-1)).toBe("+secret secret-of-tls");
    expect(state.awaited(TypeUrl.secret)).toEqual([]);
    expect(stats.counter("sds.secret-of-tls.update_success").value).toBe(1);
    const refused = send(TypeUrl.secret, SecretSchema, { "secret-of-tls": secret("bad") });
    expect(refused).toEqual(new Map([["secret-of-tls", "bad is bad"]]));
    expect(stats.counter("sds.secret-of-tls.update_rejected").value).toBe(1);
    const held = state.of(TypeUrl.secret).get("secret-of-tls");
    for (const version of [held?.active, held?.refused]) {
      expect(Buffer.from(version?.value ?? []).toString("latin1")).toContain("[redacted]");
      expect(Buffer.from(version?.value ?? []).toString("latin1")).not.toContain("hush");
    }
    send(TypeUrl.cluster, ClusterSchema, {}, ["tls"]);
    expect(asked.at(-1)).toBe("-Secret secret-of-tls");
    expect(state.of(TypeUrl.secret).size).toBe(0);
  });

  it("asks for the layers of the runtime that the bootstrap names, and waits for them", () => {
    const layers: [string, unknown][] = [];
    const { asked, send, resources } = setUp({ layers: ["mine"], set: (...layer) => void layers.push(layer) });
    expect([asked.at(-1), resources.pending]).toEqual(["+Runtime mine", 1]);
    send(TypeUrl.runtime, RuntimeSchema, { mine: create(RuntimeSchema, { name: "mine", layer: { a: 1 } }) });
    expect([resources.pending, layers]).toEqual([0, [["mine", { a: 1 }]]]);
    send(TypeUrl.runtime, RuntimeSchema, {}, ["mine"]);
    expect(layers.at(-1)).toEqual(["mine", {}]);
  });

  it("refuses by name and lets the others stand", () => {
    const { send, cluster, state, stats } = setUp();
    expect(send(TypeUrl.cluster, ClusterSchema, { ...cluster("bad1"), ...cluster("good") })).toEqual(
      new Map([["bad1", "bad1 is bad"]]),
    );
    expect(state.of(TypeUrl.cluster).get("good")?.active?.version).toBe("1");
    expect(state.of(TypeUrl.cluster).get("bad1")).toMatchObject({
      refused: { details: "bad1 is bad" },
    });
    expect(stats.counter("cluster_manager.cds.update_rejected").value).toBe(1);
  });

  it("keeps endpoints that the server calls gone while their cluster is there", () => {
    const { send, cluster, calls, state, resources } = setUp();
    send(TypeUrl.cluster, ClusterSchema, cluster("a"));
    const assignment = create(ClusterLoadAssignmentSchema, { clusterName: "a" });
    send(TypeUrl.endpoint, ClusterLoadAssignmentSchema, { a: assignment });
    send(TypeUrl.endpoint, ClusterLoadAssignmentSchema, {}, ["a"]);
    expect(calls).toEqual(["+cluster a", "+endpoints a"]);
    expect(state.of(TypeUrl.endpoint).has("a")).toBe(true);
    expect(resources.pending).toBe(0);
  });

  it("puts nothing in the place of endpoints that don't come in time, or don't exist", () => {
    const { send, cluster, calls, resources, updates, expire } = setUp();
    send(TypeUrl.cluster, ClusterSchema, { ...cluster("a"), ...cluster("b") });
    expect(resources.pending).toBe(2);
    send(TypeUrl.endpoint, ClusterLoadAssignmentSchema, {}, ["a"]);
    expect(resources.pending).toBe(1);
    expire();
    expect(resources.pending).toBe(0);
    expect(calls.slice(2)).toEqual(["+endpoints a", "+endpoints b"]);
    expect(updates.at(-1)).toBe(TypeUrl.endpoint);
  });

  it("leaves static clusters alone", () => {
    const { send, cluster, calls } = setUp();
    send(TypeUrl.cluster, ClusterSchema, cluster("xds-grpc"));
    send(TypeUrl.cluster, ClusterSchema, {}, ["xds-grpc"]);
    expect(calls).toEqual([]);
  });

  it("adds and removes virtual hosts under their resource names", () => {
    const { send, calls } = setUp();
    const host = create(VirtualHostSchema, { name: "reviews" });
    send(TypeUrl.virtualHost, VirtualHostSchema, { "http_proxy/reviews": host }, ["http_proxy/old"]);
    expect(calls).toEqual(["+host http_proxy reviews", "-host http_proxy/old"]);
  });

  it("refuses bytes that are no message", () => {
    const { resources } = setUp();
    const added = [{ name: "x", version: "1", value: new Uint8Array([0xff]) }];
    expect(resources.handlers[TypeUrl.cluster]?.apply({ added, removed: [], full: true }).size).toBe(1);
  });
});

describe("Initialization", () => {
  function start(options: { clusters: boolean; timeoutMs?: number }) {
    let fire: (() => void) | undefined;
    let pending = 1;
    let live = 0;
    const initialization = new Initialization({
      clock: {
        now: () => 0,
        setTimeout(callback) {
          fire = callback;
          return {
            cancel() {
              fire = undefined;
            },
          };
        },
      },
      clusters: options.clusters,
      listeners: options.clusters,
      timeoutMs: options.timeoutMs ?? 15_000,
      pending: () => pending,
      onLive: () => live++,
    });
    return {
      initialization,
      fire: () => fire?.(),
      armed: () => fire !== undefined,
      none: () => (pending = 0),
      lives: () => live,
    };
  }

  it("is live once clusters, listeners and what they refer to are in", () => {
    const { initialization, none, lives } = start({ clusters: true });
    expect(initialization.state).toBe("PRE_INITIALIZING");
    initialization.onUpdate(TypeUrl.cluster);
    expect(initialization.state).toBe("INITIALIZING");
    initialization.onUpdate(TypeUrl.listener);
    expect(initialization.state).toBe("INITIALIZING");
    none();
    initialization.onUpdate(TypeUrl.endpoint);
    expect(initialization.state).toBe("LIVE");
    expect(lives()).toBe(1);
  });

  it("is live when the time to wait has passed", () => {
    const { initialization, fire } = start({ clusters: true });
    fire();
    expect(initialization.state).toBe("LIVE");
  });

  it("waits without end when the timeout is zero", () => {
    expect(start({ clusters: true, timeoutMs: 0 }).armed()).toBe(false);
  });

  it("has nothing to wait for without discovery", () => {
    const { initialization, none } = start({ clusters: false });
    none();
    initialization.onUpdate(TypeUrl.route);
    expect(initialization.state).toBe("LIVE");
  });
});
