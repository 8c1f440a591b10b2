import type { Bootstrap } from "../../gen/proto/envoy/config/bootstrap/v3/bootstrap_pb.js";
import type { FieldError } from "../../lib/result.ts";
import { type Runtime, runtimeValues } from "../runtime.ts";

/** What fills the layers of a runtime besides the bootstrap itself. */
export interface LayerSources {
  /** Names of layers that come by discovery. */
  readonly discovered: readonly string[];
  /** The layer that the admin changes; undefined: there is none. */
  readonly admin: string | undefined;
}

/** Puts the bootstrap's layers into a runtime, each in its place; those that come later are empty till then. */
export function readLayers({ layeredRuntime }: Bootstrap, runtime: Runtime): LayerSources {
  const discovered: string[] = [];
  let admin: string | undefined;
  for (const { name, layerSpecifier: layer } of layeredRuntime?.layers ?? []) {
    // Discovery names a layer by what it asks for.
    const key = layer.case === "rtdsLayer" ? layer.value.name || name : name;
    runtime.setLayer(key, runtimeValues(layer.case === "staticLayer" ? layer.value : {}));
    if (layer.case === "rtdsLayer") discovered.push(key);
    if (layer.case === "adminLayer") admin = key;
  }
  return { discovered, admin };
}

/** What cannot be read here, by its path. */
export function layerErrors({ layeredRuntime }: Bootstrap): FieldError[] {
  const path = "layered_runtime.layers";
  const layers = layeredRuntime?.layers ?? [];
  return layers.flatMap(({ name, layerSpecifier: layer }, index): FieldError[] => {
    const here = `${path}[${index}]`;
    if (name === "") return [{ path: `${here}.name`, message: "is required" }];
    switch (layer.case) {
      case "diskLayer":
        return [{ path: `${here}.disk_layer`, message: "is not supported by the limpid sidecar" }];
      case "rtdsLayer": {
        const source = layer.value.rtdsConfig?.configSourceSpecifier.case;
        return source === "ads"
          ? []
          : [{ path: `${here}.rtds_layer.rtds_config`, message: "only ads: {} is supported" }];
      }
      case undefined:
        return [{ path: here, message: "needs static_layer, admin_layer or rtds_layer" }];
      default:
        return [];
    }
  });
}
