import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { kindNamed } from "../config/kinds/index.ts";
import type { ConfigObject } from "../config/object.ts";
import type { ConfigChange } from "../config/store.ts";
import { ClusterSchema } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { ListenerSchema } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { VirtualHostSchema } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { RouteConfigurationSchema } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import { randomFrom } from "../lib/testing/random.ts";
import { buildMesh, updateMesh } from "../model/mesh.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { createSnapshot } from "../xds/snapshot.ts";
import type { ProxyResources, TimedResources } from "./resources.ts";
import { loadCase, proxyOf } from "./testing/cases.ts";
import { translate } from "./translate.ts";

/** The golden cases are what the random lives below are made of. */
const folder = join(import.meta.dirname, "testdata");
const pool = readdirSync(folder)
  .filter((file) => file.endsWith(".in.yaml"))
  .flatMap((file) => loadCase(join(folder, file)).objects);

const sidecar = (workload: string, namespace: string, more: Partial<MeshProxy> = {}): MeshProxy => ({
  ...proxyOf({
    id: `sidecar~127.0.1.1~${workload}.${namespace}~${namespace}.svc.cluster.local`,
    metadata: {
      INTERCEPTION_MODE: "NONE",
      LABELS: { app: workload, version: "v1" },
      INGRESS: { "9080": "127.0.0.1:19080", "3306": "127.0.0.1:13306" },
    },
  }),
  ...more,
});
const gateway = (namespace: string, more: Partial<MeshProxy> = {}): MeshProxy => ({
  ...proxyOf({
    id: `router~127.0.1.7~gateway.${namespace}~${namespace}.svc.cluster.local`,
    metadata: { LABELS: { istio: "ingressgateway", app: "gateway" } },
  }),
  ...more,
});
const certified = { identity: "spiffe://cluster.local/ns/default/sa/default" };
const proxies: MeshProxy[] = [
  sidecar("client", "default"),
  sidecar("reviews", "default", certified),
  sidecar("client", "prod", { delta: false }),
  sidecar("reviews", "shop", { bundled: true, unprivileged: true }),
  gateway("default"),
  gateway("istio-system", { ...certified, delta: false, portOffset: 1000 }),
];

/** Every resource's bytes, by type and name, and the order they come in. */
function bytesOf(resources: ProxyResources): string[] {
  const encode = <D extends DescMessage>(schema: D, all: ReadonlyMap<string, MessageShape<D>>) =>
    [...all].map(([name, it]) => `${schema.typeName} ${name} ${Buffer.from(toBinary(schema, it)).toString("base64")}`);
  return [
    ...encode(ListenerSchema, resources.listeners),
    ...encode(RouteConfigurationSchema, resources.routes),
    ...encode(VirtualHostSchema, resources.virtualHosts),
    ...encode(ClusterSchema, resources.clusters),
    ...encode(ClusterLoadAssignmentSchema, resources.endpoints),
  ];
}

/** As they are sent: encoding remembers, too. */
const versionsOf = (resources: TimedResources): string[] =>
  [...createSnapshot(1, resources).resources.values()].flatMap((map) =>
    [...map].map(([name, { version }]) => `${name} ${version}`),
  );

const namespaces = ["default", "prod", "shop", "istio-system"];
const exports = [undefined, ["."], ["*"], ["prod"], ["shop", "."]];

/** One object put (often a changed one), or deleted. */
function edit(
  random: (below: number) => number,
  objects: ReadonlyMap<string, ConfigObject>,
  templates: readonly ConfigObject[],
): ConfigChange {
  const keyOf = ({ kind, metadata: { namespace, name } }: ConfigObject) => ({ kind, namespace, name });
  const present = [...objects.values()];
  const victim = present[random(present.length)];
  if (victim && random(4) === 0) return { type: "DELETED", key: keyOf(victim), before: victim };
  const template = random(2) === 0 && victim ? victim : templates[random(templates.length)];
  if (!template) throw new Error("no golden cases");
  const after = structuredClone(template);
  change(after, random, present);
  // Only what may be stored.
  const isValid = kindNamed(after.kind)?.parse(after).ok ?? false;
  const object = isValid ? after : structuredClone(template);
  return { type: "MODIFIED", key: keyOf(object), after: object };
}

/** A block of another object of the kind instead of its own, another reach, another namespace, another age, other weights. */
function change(object: ConfigObject, random: (below: number) => number, present: readonly ConfigObject[]): void {
  const { metadata, spec } = object;
  const like = [...present, ...pool].filter(({ kind }) => kind === object.kind);
  const other = like[random(like.length)];
  const fields = Object.keys(other?.spec ?? {});
  const field = fields[random(fields.length)];
  if (random(2) === 0 && other && field) spec[field] = structuredClone(other.spec[field]);
  if (random(4) === 0 && metadata.namespace !== "") metadata.namespace = namespaces[random(namespaces.length)] ?? "";
  if (random(4) === 0) metadata.creationTimestamp = `2026-01-0${1 + random(9)}T00:00:00Z`;
  if (random(4) === 0 && object.kind !== "WorkloadEntry") {
    const exportTo = exports[random(exports.length)];
    if (exportTo) spec.exportTo = exportTo;
    else delete spec.exportTo;
  }
  if (random(6) === 0) Object.assign(metadata, { labels: { app: "reviews", version: `v${random(3)}` } });
}

/** Lets objects come, change and go; each proxy is translated when `isAsked` says so, and compared with one that knows nothing of what was before. */
function live(
  seed: number,
  revisions: number,
  isAsked: (random: (below: number) => number) => boolean,
  templates: readonly ConfigObject[] = pool,
): void {
  const random = randomFrom(seed);
  const objects = new Map<string, ConfigObject>();
  let mesh = buildMesh([], 0);
  for (let revision = 1; revision <= revisions; revision++) {
    const changes = Array.from({ length: 1 + random(3) }, () => edit(random, objects, templates));
    for (const { type, key, after } of changes) {
      const name = `${key.kind}/${key.namespace}/${key.name}`;
      if (type === "DELETED") objects.delete(name);
      else if (after) objects.set(name, after);
    }
    mesh = updateMesh(mesh, changes, revision);
    for (const proxy of proxies) {
      if (!isAsked(random)) continue;
      const fresh = buildMesh(structuredClone([...objects.values()]), revision);
      const made = translate(mesh, proxy);
      const anew = translate(fresh, { ...proxy });
      expect(bytesOf(made)).toEqual(bytesOf(anew));
      expect(versionsOf(made)).toEqual(versionsOf(anew));
    }
  }
}

describe("what is remembered is what would be made from scratch, over a random life of the mesh", () => {
  it.each([1, 2, 3])(
    "of proxies that ask now and then, so that what they remember has several ages (seed %i)",
    {
      timeout: 120_000,
    },
    (seed) => live(seed, 120, (random) => random(3) === 0),
  );

  it.each([4, 5])(
    "of proxies that follow every change, so that each is made of the one before (seed %i)",
    {
      timeout: 120_000,
    },
    (seed) => live(seed, 60, () => true),
  );

  const delegates = ["delegate", "delegate-gateway", "selected-rules"].flatMap(
    (name) => loadCase(join(folder, `${name}.in.yaml`)).objects,
  );
  it.each([6, 7])(
    "of roots, delegates and rules for some clients that come, go and change places (seed %i)",
    {
      timeout: 120_000,
    },
    (seed) => live(seed, 150, (random) => random(2) === 0, delegates),
  );
});
