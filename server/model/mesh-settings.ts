import type { ConfigObject } from "../config/object.ts";
import { memo } from "../lib/memo.ts";
import type { ExtensionProvider, MeshConfigSpec } from "./specs.ts";

/** What the MeshConfig says, with what is meant where it says nothing. */
export interface MeshSettings {
  readonly providers: ReadonlyMap<string, ExtensionProvider>;
  readonly pathNormalization: PathNormalization;
}

export type PathNormalization = "NONE" | "BASE" | "MERGE_SLASHES" | "DECODE_AND_MERGE_SLASHES";

const unset: MeshSettings = { providers: new Map(), pathNormalization: "BASE" };

export const meshSettingsOf = (object: ConfigObject | undefined): MeshSettings =>
  object === undefined
    ? unset
    : memo(object, "settings", [], () => {
        const { extensionProviders = [], pathNormalization } = object.spec as MeshConfigSpec;
        const { normalization = "DEFAULT" } = pathNormalization ?? {};
        return {
          providers: new Map(extensionProviders.map((provider) => [provider.name, provider])),
          pathNormalization: normalization === "DEFAULT" ? "BASE" : normalization,
        };
      });
