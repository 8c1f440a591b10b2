import { create, type JsonObject } from "@bufbuild/protobuf";
import { type Runtime, RuntimeSchema } from "../gen/proto/envoy/service/runtime/v3/rtds_pb.js";
import { memo } from "../lib/memo.ts";
import type { Mesh } from "../model/mesh.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { runtimeLayersOf } from "../model/runtime-layers.ts";

/** What the mesh's RuntimeLayers mean for a proxy, by the name that its bootstrap asks for. */
export const runtimeLayers = (mesh: Mesh, { namespace, labels }: MeshProxy): ReadonlyMap<string, Runtime> => {
  const { rootNamespace } = mesh.options;
  const key = `runtime ${JSON.stringify([rootNamespace, namespace, labels])}`;
  return memo(mesh.runtimeLayers, key, [], () => {
    const layers = runtimeLayersOf(mesh.runtimeLayers, rootNamespace, { namespace, labels });
    return new Map(
      [...layers].map(([name, values]) => [name, create(RuntimeSchema, { name, layer: values as JsonObject })]),
    );
  });
};
