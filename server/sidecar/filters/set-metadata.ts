import { isMessage } from "@bufbuild/protobuf";
import { type Any, AnySchema, anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type Config,
  ConfigSchema,
} from "../../gen/proto/envoy/extensions/filters/http/set_metadata/v3/set_metadata_pb.js";
import { each } from "../config/problems.ts";
import type { FilterFactory, FilterIo, HttpFilter, RequestContext, Step } from "../request/filter.ts";

/** Notes what it is told to for later filters and the log: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/set_metadata_filter */
export const setMetadataFilter: FilterFactory = {
  schema: ConfigSchema,
  perRouteSchema: ConfigSchema,
  fields: {
    [ConfigSchema.typeName]: ["metadata_namespace", "value", "metadata"],
    // All of its fields have an effect, and a typed value is whatever a service may know.
    "envoy.extensions.filters.http.set_metadata.v3.Metadata": "opaque",
  },
  compile: (name, config, io) => new SetMetadata(name, compileEntries(config), io),
  compilePerRoute: compileEntries,
};

interface Entry {
  readonly namespace: string;
  readonly overwrites: boolean;
  /** The older form merges into what is there. */
  readonly merges: boolean;
  readonly value: Readonly<Record<string, unknown>> | Any;
}

class SetMetadata implements HttpFilter {
  readonly name: string;
  private readonly entries: readonly Entry[];
  private readonly io: FilterIo;

  constructor(name: string, entries: readonly Entry[], io: FilterIo) {
    this.name = name;
    this.entries = entries;
    this.io = io;
  }

  onRequest(request: RequestContext): Step {
    for (const entry of request.perFilter<readonly Entry[]>(this.name) ?? this.entries) this.apply(request, entry);
    return "go";
  }

  private apply(request: RequestContext, { namespace, overwrites, merges, value }: Entry): void {
    const { record } = request;
    const typed = isMessage(value, AnySchema);
    const before: unknown = (typed ? record.typedMetadata : record.dynamicMetadata)?.[namespace];
    if (before !== undefined && !overwrites && !merges) {
      this.io.stats.counter(`${this.io.statPrefix}set_metadata.overwrite_denied`).inc();
    } else if (typed) record.typedMetadata = { ...record.typedMetadata, [namespace]: value };
    else request.setMetadata(namespace, before === undefined ? value : (merged(before, value) as typeof value));
  }
}

/** As Envoy's update of a Struct: objects key by key, lists one after the other, anything else is replaced. */
function merged(before: unknown, value: unknown): unknown {
  if (Array.isArray(before) && Array.isArray(value)) return [...before, ...value];
  if (!isObject(before) || !isObject(value)) return value;
  const result = { ...before };
  for (const [key, item] of Object.entries(value)) result[key] = key in before ? merged(before[key], item) : item;
  return result;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === "object" && !Array.isArray(value);

function compileEntries(any: Any): readonly Entry[] {
  const config: Config | undefined = anyUnpack(any, ConfigSchema);
  const old = config?.value === undefined ? [] : [{ namespace: config.metadataNamespace, value: config.value }];
  return [
    ...old.map((entry) => ({ ...entry, overwrites: false, merges: true })),
    ...each(
      "metadata",
      config?.metadata ?? [],
      ({ metadataNamespace: namespace, allowOverwrite, value, typedValue }) => {
        if (namespace === "") throw new Error("metadata_namespace: required");
        const either = value ?? typedValue;
        if (either === undefined) throw new Error("value: required, or typed_value");
        return { namespace, overwrites: allowOverwrite, merges: false, value: either };
      },
    ),
  ];
}
