import type { SupportedFields } from "../../request/filter.ts";

/** Of values that stand in many places. */
export const commonFields: SupportedFields = {
  "envoy.config.core.v3.CidrRange": ["address_prefix", "prefix_len"],
  "envoy.config.core.v3.Address": ["socket_address"],
  "envoy.config.core.v3.SocketAddress": ["protocol", "address", "port_value"],
  "envoy.config.core.v3.Metadata": "opaque",
  "envoy.config.core.v3.ConfigSource": "opaque",
  "envoy.config.core.v3.ExtensionConfigSource": [
    "config_source",
    "default_config",
    "apply_default_config_without_warming",
    "type_urls",
  ],
  "envoy.config.core.v3.Locality": "opaque",
  "envoy.config.accesslog.v3.AccessLog": "opaque",
  "envoy.config.core.v3.HeaderValueOption": ["header", "append", "append_action", "keep_empty_value"],
  "envoy.config.core.v3.HeaderValue": ["key", "value"],
  "envoy.config.core.v3.DataSource": ["filename", "inline_string", "inline_bytes"],
  "envoy.config.core.v3.RuntimeFractionalPercent": ["default_value", "runtime_key"],
  "envoy.config.core.v3.RuntimeDouble": ["default_value", "runtime_key"],
  "envoy.type.v3.FractionalPercent": ["numerator", "denominator"],
  "envoy.type.v3.Percent": ["value"],
  "envoy.type.v3.Int64Range": ["start", "end"],
  "envoy.type.matcher.v3.StringMatcher": ["exact", "prefix", "suffix", "safe_regex", "contains", "ignore_case"],
  "envoy.type.matcher.v3.RegexMatcher": ["google_re2", "regex"],
  // harmless: Envoy ignores it as well
  "envoy.type.matcher.v3.RegexMatcher.GoogleRE2": "opaque",
  "envoy.type.matcher.v3.RegexMatchAndSubstitute": ["pattern", "substitution"],
  "envoy.config.core.v3.TypedExtensionConfig": ["name", "typed_config"],
};
