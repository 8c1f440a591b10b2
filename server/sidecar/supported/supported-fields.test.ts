import type { DescFile, DescMessage } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { ClusterSchema } from "../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { ListenerSchema } from "../../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "../../gen/proto/envoy/config/route/v3/route_pb.js";
import { filterFactories } from "../filters/registry.ts";
import { routerFilter } from "../filters/router/router-filter.ts";
import { networkFilterFactories } from "../network/registry.ts";
import { clusterFields } from "./fields/cluster.ts";
import { commonFields } from "./fields/common.ts";
import { endpointFields } from "./fields/endpoint.ts";
import { healthFields } from "./fields/health.ts";
import { listenerFields } from "./fields/listener.ts";
import { loadBalancingFields } from "./fields/load-balancing.ts";
import { managerFields } from "./fields/manager.ts";
import { routeFields } from "./fields/route.ts";
import { transportFields } from "./fields/transport.ts";
import { extensionRegistry, supportedFields } from "./supported-fields.ts";

const areas = [clusterFields, commonFields, endpointFields, healthFields, listenerFields, loadBalancingFields];
const rest = [managerFields, routeFields, transportFields];

it("each message stands in one place, and says the same of itself where filters share it", () => {
  const of = [...areas, ...rest].flatMap((fields) => Object.keys(fields));
  expect(of.filter((name, index) => of.indexOf(name) !== index)).toEqual([]);
  const filters = [routerFilter, ...filterFactories, ...networkFilterFactories];
  const different = filters.flatMap(({ fields }) =>
    Object.entries(fields).filter(([name, own]) => JSON.stringify(supportedFields[name]) !== JSON.stringify(own)),
  );
  expect(different).toEqual([]);
});

it("every field is one that its message has", () => {
  const messages = new Map<string, DescMessage>();
  const files = new Set<DescFile>();
  const addMessage = (message: DescMessage): void => {
    messages.set(message.typeName, message);
    for (const nested of message.nestedMessages) addMessage(nested);
  };
  const add = (file: DescFile): void => {
    if (files.has(file)) return;
    files.add(file);
    for (const message of file.messages) addMessage(message);
    for (const dependency of file.dependencies) add(dependency);
  };
  for (const { file } of [ClusterSchema, ListenerSchema, RouteConfigurationSchema]) add(file);
  for (const type of extensionRegistry) if (type.kind === "message") add(type.file);
  const unknown = Object.entries(supportedFields).flatMap(([name, fields]) => {
    const known = messages.get(name)?.fields.map((field) => field.name);
    if (known === undefined) return [name];
    return fields === "opaque"
      ? []
      : (fields ?? []).filter((field) => !known.includes(field)).map((field) => `${name}.${field}`);
  });
  expect(unknown).toEqual([]);
});
