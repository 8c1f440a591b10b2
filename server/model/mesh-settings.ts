import { healthAnnotations, type PartialThresholds } from "../config/health-annotations.ts";
import type { ConfigObject } from "../config/object.ts";
import { memo } from "../lib/memo.ts";
import { builtInProviders, type DefaultProviders, type ExtensionProvider, type MeshConfigSpec } from "./specs.ts";

/** What the MeshConfig says, with what is meant where it says nothing. */
export interface MeshSettings {
  readonly providers: ReadonlyMap<string, ExtensionProvider>;
  /** By their names in lower case, those included that every mesh has: to whom Telemetry has things sent. */
  readonly telemetryProviders: ReadonlyMap<string, ExtensionProvider>;
  /** Whom Telemetry means that names nobody. */
  readonly defaultProviders: DefaultProviders;
  readonly pathNormalization: PathNormalization;
  /** What proxies write themselves of every request and connection, besides what goes to the collector; undefined: nothing. */
  readonly accessLogFile: AccessLogFile | undefined;
  /** Percent of the requests without a trace that begin one; undefined: as the installation has it. */
  readonly tracingSampling: number | undefined;
  /** By its annotations: what services are judged by that say nothing themselves. */
  readonly health: PartialThresholds;
  /** Trust domains whose ids mean the same as those of the mesh's own. */
  readonly trustDomainAliases: readonly string[];
}

/** Istio's `accessLogFile`, `accessLogFormat` and `accessLogEncoding`. https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/ */
export interface AccessLogFile {
  /** Such as `/dev/stdout`. */
  readonly path: string;
  readonly encoding: "TEXT" | "JSON";
  /** With command operators; of JSON, an object in JSON. "": Istio's own. */
  readonly format: string;
}

export type PathNormalization = "NONE" | "BASE" | "MERGE_SLASHES" | "DECODE_AND_MERGE_SLASHES";

const byName = (providers: readonly ExtensionProvider[]): ReadonlyMap<string, ExtensionProvider> =>
  new Map([...builtInProviders, ...providers].map((provider) => [provider.name.toLowerCase(), provider]));

const unset: MeshSettings = {
  providers: new Map(),
  telemetryProviders: byName([]),
  defaultProviders: {},
  pathNormalization: "BASE",
  accessLogFile: undefined,
  tracingSampling: undefined,
  health: {},
  trustDomainAliases: [],
};

export const meshSettingsOf = (object: ConfigObject | undefined): MeshSettings =>
  object === undefined
    ? unset
    : memo(object, "settings", [], () => {
        const spec = object.spec as MeshConfigSpec;
        const { extensionProviders = [], pathNormalization, trustDomainAliases = [] } = spec;
        const { normalization = "DEFAULT" } = pathNormalization ?? {};
        return {
          providers: new Map(extensionProviders.map((provider) => [provider.name, provider])),
          telemetryProviders: byName(extensionProviders),
          defaultProviders: spec.defaultProviders ?? {},
          pathNormalization: normalization === "DEFAULT" ? "BASE" : normalization,
          accessLogFile: accessLogFileOf(spec),
          tracingSampling: spec.defaultConfig?.tracing?.sampling,
          health: healthAnnotations(object.metadata.annotations).thresholds,
          trustDomainAliases,
        };
      });

const accessLogFileOf = ({ accessLogFile, accessLogFormat, accessLogEncoding }: MeshConfigSpec) =>
  accessLogFile
    ? { path: accessLogFile, encoding: accessLogEncoding ?? "TEXT", format: accessLogFormat ?? "" }
    : undefined;
