import { create, type DescMessage, type JsonValue, type Message, type MessageShape, toJson } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import {
  BootstrapConfigDumpSchema,
  ConfigDumpSchema,
  SecretsConfigDumpSchema,
} from "../../gen/proto/envoy/admin/v3/config_dump_pb.js";
import {
  ClustersConfigDumpSchema,
  EcdsConfigDumpSchema,
  EndpointsConfigDumpSchema,
  ListenersConfigDumpSchema,
  RoutesConfigDumpSchema,
  ScopedRoutesConfigDumpSchema,
} from "../../gen/proto/envoy/admin/v3/config_dump_shared_pb.js";
import { re2 } from "../../lib/re2.ts";
import { fail, ok, type Result } from "../../lib/result.ts";
import { TypeUrl } from "../../xds/types.ts";
import { extensionRegistry } from "../bootstrap/extensions.ts";
import { redacted } from "../secret/redact.ts";
import type { ConfigState } from "../xds/config-state.ts";
import {
  bootstrapSection,
  clustersSection,
  endpointsSection,
  extensionsSection,
  listenersSection,
  type NameFilter,
  routesSection,
  secretsSection,
} from "./config-dump-sections.ts";

interface ConfigDumpQuery {
  includeEds: boolean;
  /** A field of one of the sections, such as `dynamic_active_clusters`: only what it holds is returned. */
  resource?: string;
  /** Field paths as in a FieldMask, `a.b,c`: of each section, or with `resource` of each of its items. */
  mask?: string;
  /** RE2: only resources whose whole name matches. */
  nameRegex?: string;
}

/**
 * The JSON of an `envoy.admin.v3.ConfigDump`, sections in Envoy's order. The error is a sentence for the caller.
 * https://www.envoyproxy.io/docs/envoy/latest/operations/admin#get--config_dump
 */
export function configDump(state: ConfigState, query: ConfigDumpQuery): Result<string, string> {
  const keep = nameFilter(query.nameRegex);
  if (!keep.ok) return keep;
  const sections = [
    section(BootstrapConfigDumpSchema, bootstrapSection(state)),
    section(ClustersConfigDumpSchema, clustersSection(state, keep.value)),
    // Envoy has this section where something asks for filters.
    ...(state.of(TypeUrl.extensionConfig).size > 0
      ? [section(EcdsConfigDumpSchema, extensionsSection(state, keep.value))]
      : []),
    ...(query.includeEds ? [section(EndpointsConfigDumpSchema, endpointsSection(state, keep.value))] : []),
    section(ListenersConfigDumpSchema, listenersSection(state, keep.value)),
    section(ScopedRoutesConfigDumpSchema, create(ScopedRoutesConfigDumpSchema)),
    section(RoutesConfigDumpSchema, routesSection(state, keep.value)),
    section(SecretsConfigDumpSchema, secretsSection(state, keep.value)),
  ];
  if (query.resource === undefined)
    return ok(
      toText(
        sections.map(({ any }) => any),
        query.mask,
      ),
    );
  for (const { fields } of sections) {
    const found = fields.get(query.resource);
    if (found !== undefined) return ok(toText(found, query.mask));
  }
  return fail(`${query.resource} not found in config dump`);
}

function toText(configs: Any[], mask: string | undefined): string {
  const dump = create(ConfigDumpSchema, { configs });
  const json = toJson(ConfigDumpSchema, dump, { registry: extensionRegistry, useProtoFieldName: true });
  const paths = (mask ?? "").split(",").filter((path) => path !== "");
  const shown =
    paths.length === 0
      ? json
      : masked(
          json,
          paths.map((path) => ["configs", ...path.trim().split(".")]),
        );
  return JSON.stringify(shown, null, 1);
}

/** What the paths name; lists are passed through, and a message says its type still. */
function masked(value: JsonValue, paths: readonly (readonly string[])[]): JsonValue {
  if (paths.some((path) => path.length === 0)) return value;
  if (Array.isArray(value)) return value.map((item) => masked(item, paths));
  if (typeof value !== "object" || value === null) return value;
  const kept: { [key: string]: JsonValue } = {};
  for (const [key, inner] of Object.entries(value)) {
    const rest = paths.filter((path) => path[0] === key).map((path) => path.slice(1));
    if (key === "@type") kept[key] = inner;
    else if (rest.length > 0) kept[key] = masked(inner, rest);
  }
  return kept;
}

function nameFilter(pattern: string | undefined): Result<NameFilter, string> {
  if (pattern === undefined) return ok(() => true);
  try {
    const regex = re2().compile(pattern);
    return ok((name) => regex.matches(name));
  } catch {
    return fail(`Error while parsing name_regex from ${pattern}`);
  }
}

/** A section without keys, packed, and what each of its message fields holds, packed one by one, for `?resource=`. */
function section<D extends DescMessage>(desc: D, secret: MessageShape<D>) {
  const message = redacted(desc, secret);
  const fields = new Map<string, Any[]>();
  const view = reflect(desc, message);
  for (const field of view.fields) {
    if (field.fieldKind === "list" && field.listKind === "message") {
      const list = [...view.get(field)].map((item) => {
        const { desc: itemDesc, message: itemMessage } = item as { desc: DescMessage; message: Message };
        return anyPack(itemDesc, itemMessage as MessageShape<typeof itemDesc>);
      });
      fields.set(field.name, list);
    } else if (field.fieldKind === "message" && field.name === "bootstrap" && view.isSet(field)) {
      const item = view.get(field) as { desc: DescMessage; message: Message };
      fields.set(field.name, [anyPack(item.desc, item.message as never)]);
    }
  }
  return { any: anyPack(desc, message), fields };
}
