import type { Bootstrap } from "../../gen/proto/envoy/config/bootstrap/v3/bootstrap_pb.js";
import type { FieldError } from "../../lib/result.ts";
import { type Runtime, runtimeValues } from "../runtime.ts";
import { DiskLayer } from "./disk-layer.ts";

/** What fills the layers of a runtime besides the bootstrap itself. */
export interface LayerSources {
  /** Names of layers that come by discovery. */
  readonly discovered: readonly string[];
  /** The layer that the admin changes; undefined: there is none. */
  readonly admin: string | undefined;
  /** Layers that are trees of files; not read yet. */
  readonly disk: readonly DiskLayer[];
}

/** Hears how layers that are files were read. */
export type LayerRead = (layer: string, error: string | undefined) => void;

/** Puts the bootstrap's layers into a runtime, each in its place; those that come later are empty till then. */
export function readLayers({ layeredRuntime, node }: Bootstrap, runtime: Runtime, onRead: LayerRead): LayerSources {
  const discovered: string[] = [];
  const disk: DiskLayer[] = [];
  let admin: string | undefined;
  for (const { name, layerSpecifier: layer } of layeredRuntime?.layers ?? []) {
    // Discovery names a layer by what it asks for.
    const key = layer.case === "rtdsLayer" ? layer.value.name || name : name;
    runtime.setLayer(key, runtimeValues(layer.case === "staticLayer" ? layer.value : {}));
    if (layer.case === "rtdsLayer") discovered.push(key);
    if (layer.case === "adminLayer") admin = key;
    if (layer.case === "diskLayer") {
      disk.push(
        new DiskLayer(layer.value, node?.cluster ?? "", (values, error) => {
          runtime.setLayer(key, values);
          onRead(key, error);
        }),
      );
    }
  }
  return { discovered, admin, disk };
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
        return layer.value.symlinkRoot === ""
          ? [{ path: `${here}.disk_layer.symlink_root`, message: "is required" }]
          : [];
      case "rtdsLayer": {
        const source = layer.value.rtdsConfig?.configSourceSpecifier.case;
        return source === "ads"
          ? []
          : [{ path: `${here}.rtds_layer.rtds_config`, message: "only ads: {} is supported" }];
      }
      case undefined:
        return [{ path: here, message: "needs static_layer, disk_layer, admin_layer or rtds_layer" }];
      default:
        return [];
    }
  });
}
