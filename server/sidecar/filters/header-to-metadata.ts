import { fromBinary, toJson } from "@bufbuild/protobuf";
import { type Any, anyUnpack, ValueSchema } from "@bufbuild/protobuf/wkt";
import {
  type Config,
  Config_ValueEncode,
  Config_ValueType,
  ConfigSchema,
  type Config_KeyValuePair as KeyValuePair,
  type Config_Rule as Rule,
} from "../../gen/proto/envoy/extensions/filters/http/header_to_metadata/v3/header_to_metadata_pb.js";
import { at, each } from "../config/problems.ts";
import { type FlatHeaders, getJoined, removeHeader } from "../http/headers.ts";
import { viewHeader } from "../match/request-view.ts";
import type { FilterFactory, HttpFilter, RequestContext, Step } from "../request/filter.ts";
import { cookieValue } from "../route/cookie.ts";
import { compileSubstitution } from "../text/regex.ts";

/** Notes headers for later filters and the log: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/header_to_metadata_filter */
export const headerToMetadataFilter: FilterFactory = {
  schema: ConfigSchema,
  perRouteSchema: ConfigSchema,
  fields: {
    [ConfigSchema.typeName]: ["request_rules", "response_rules"],
    [`${ConfigSchema.typeName}.Rule`]: ["header", "cookie", "on_header_present", "on_header_missing", "remove"],
    [`${ConfigSchema.typeName}.KeyValuePair`]: [
      "metadata_namespace",
      "key",
      "value",
      "regex_value_rewrite",
      "type",
      "encode",
    ],
  },
  compile: (name, config) => new HeaderToMetadata(name, compileRules(anyUnpack(config, ConfigSchema))),
  compilePerRoute(config: Any): Rules {
    const rules = compileRules(anyUnpack(config, ConfigSchema));
    if (rules.request.length + rules.response.length === 0) {
      throw new Error("request_rules: these or response_rules are required for a route");
    }
    return rules;
  },
};

/** Takes what a rule says of the headers, and notes it. */
type Note = (headers: FlatHeaders, found: Found, pseudo: (name: string) => string | undefined) => void;
/** By namespace. */
type Found = Map<string, Record<string, unknown>>;

interface Rules {
  readonly request: readonly Note[];
  readonly response: readonly Note[];
}

class HeaderToMetadata implements HttpFilter {
  readonly name: string;
  private readonly rules: Rules;

  constructor(name: string, rules: Rules) {
    this.name = name;
    this.rules = rules;
  }

  onRequest(request: RequestContext): Step {
    return note(request, this.rulesOf(request).request, request.headers, (name) => viewHeader(request, name));
  }

  onResponse(request: RequestContext): Step {
    const { status, responseHeaders } = request;
    const pseudo = (name: string) => (name === ":status" ? String(status) : undefined);
    return note(request, this.rulesOf(request).response, responseHeaders, pseudo);
  }

  private rulesOf(request: RequestContext): Rules {
    return request.perFilter<Rules>(this.name) ?? this.rules;
  }
}

function note(
  request: RequestContext,
  notes: readonly Note[],
  headers: FlatHeaders,
  pseudo: (name: string) => string | undefined,
): Step {
  if (notes.length === 0) return "go";
  const found: Found = new Map();
  for (const each of notes) each(headers, found, pseudo);
  for (const [namespace, values] of found) request.setMetadata(namespace, values);
  return "go";
}

const compileRules = (config: Config | undefined): Rules => ({
  request: each("request_rules", config?.requestRules ?? [], compileRule),
  response: each("response_rules", config?.responseRules ?? [], compileRule),
});

function compileRule(rule: Rule): Note {
  const { header, cookie, onHeaderPresent, onHeaderMissing, remove } = rule;
  if ((header === "") === (cookie === "")) throw new Error("header: this or cookie is required, and not both");
  if (cookie !== "" && remove) throw new Error("remove: a cookie cannot be removed");
  if (onHeaderPresent === undefined && onHeaderMissing === undefined) {
    throw new Error("on_header_present: this or on_header_missing is required");
  }
  if (onHeaderMissing?.value === "") throw new Error("on_header_missing.value: required");
  const present = onHeaderPresent && at("on_header_present", () => compilePair(onHeaderPresent));
  const missing = onHeaderMissing && at("on_header_missing", () => compilePair(onHeaderMissing));
  const name = header.toLowerCase();
  const read = reader(name, cookie);
  return (headers, found, pseudo) => {
    const value = read(headers, pseudo);
    if (value === undefined) missing?.("", found);
    else present?.(value, found);
    if (remove && value !== undefined) removeHeader(headers, name);
  };
}

function reader(
  name: string,
  cookie: string,
): (...of: [FlatHeaders, (name: string) => string | undefined]) => string | undefined {
  if (name === "") return (headers) => cookieValue(headers, cookie) || undefined;
  return name.startsWith(":") || name === "host" ? (_, pseudo) => pseudo(name) : (headers) => getJoined(headers, name);
}

const ownNamespace = "envoy.filters.http.header_to_metadata";
/** Of a value that is taken over. */
const maxValueLength = 8 * 1024;

function compilePair(pair: KeyValuePair): (value: string, found: Found) => void {
  const { key, value: fixed, regexValueRewrite: rewrite } = pair;
  if (key === "") throw new Error("key: required");
  if (fixed !== "" && rewrite !== undefined) throw new Error("value: must not be set with regex_value_rewrite");
  const substitute = rewrite && at("regex_value_rewrite", () => compileSubstitution(rewrite));
  const namespace = pair.metadataNamespace || ownNamespace;
  return (given, found) => {
    const text = fixed || (substitute === undefined ? given : substitute(given));
    if (text === "" || text.length >= maxValueLength) return;
    const value = typedValue(text, pair);
    if (value === undefined) return;
    const values = found.get(namespace) ?? {};
    values[key] = value;
    found.set(namespace, values);
  };
}

/** Undefined: it is not of the type that it should be. */
function typedValue(text: string, { type, encode }: KeyValuePair): unknown {
  const bytes = encode === Config_ValueEncode.BASE64 ? decode(text) : Buffer.from(text, "latin1");
  if (bytes === undefined || bytes.length === 0) return undefined;
  switch (type) {
    case Config_ValueType.NUMBER: {
      const number = bytes.toString("latin1").trim();
      return number === "" || !Number.isFinite(Number(number)) ? undefined : Number(number);
    }
    case Config_ValueType.PROTOBUF_VALUE:
      try {
        return toJson(ValueSchema, fromBinary(ValueSchema, bytes));
      } catch {
        return undefined;
      }
    default:
      return bytes.toString();
  }
}

const decode = (text: string): Buffer | undefined =>
  /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? Buffer.from(text, "base64") : undefined;
