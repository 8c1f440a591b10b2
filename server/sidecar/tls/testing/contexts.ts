import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { fromJson } from "@bufbuild/protobuf";
import { SecretSchema } from "../../../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import type { TestCertificate } from "../../secret/testing/certificates.ts";
import { listenerJson, type PlaneOptions } from "../../test-plane.ts";

// Config as the control plane gives it, with certificates by value or by name.

const tlsType = (name: string) => `type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.${name}`;

export const inline = ({ chain, key }: TestCertificate): JsonObject => ({
  tls_certificates: [{ certificate_chain: { inline_string: chain }, private_key: { inline_string: key } }],
});

export const uriNames = (...matchers: JsonObject[]): JsonObject =>
  matchers.length === 0
    ? {}
    : { match_typed_subject_alt_names: matchers.map((matcher) => ({ san_type: "URI", matcher })) };

export const trusting = (pem: string, ...names: JsonObject[]): JsonObject => ({
  validation_context: { trusted_ca: { inline_string: pem }, ...uriNames(...names) },
});

export const sds = (name: string, timeout = "0s"): JsonObject => ({
  name,
  sds_config: { ads: {}, initial_fetch_timeout: timeout, resource_api_version: "V3" },
});

/** Both secrets by name, as translation refers to them. */
export const bySds = (timeout = "0s", ...names: JsonObject[]): JsonObject => ({
  tls_certificate_sds_secret_configs: [sds("default", timeout)],
  combined_validation_context: {
    default_validation_context: uriNames(...names),
    validation_context_sds_secret_config: sds("ROOTCA", timeout),
  },
});

export const upstreamTls = (common: JsonObject, rest: JsonObject = {}): JsonObject => ({
  transport_socket: {
    name: "envoy.transport_sockets.tls",
    typed_config: { "@type": tlsType("UpstreamTlsContext"), common_tls_context: common, sni: "test", ...rest },
  },
});

export const downstreamTls = (common: JsonObject, rest: JsonObject = {}): JsonObject => ({
  transport_socket: {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": tlsType("DownstreamTlsContext"),
      common_tls_context: common,
      require_client_certificate: true,
      ...rest,
    },
  },
});

export const inspector = {
  name: "envoy.filters.listener.tls_inspector",
  typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector" },
};

/** Istio's permissive inbound listener: mutual TLS by protocol, and plain text beside it. */
export function permissive(options: PlaneOptions, tls: JsonObject, manager: JsonObject = sanitizeSet): JsonObject {
  const chains = (more: JsonObject) =>
    listenerJson({ ...options, manager: { ...options.manager, ...more } }).filter_chains as JsonObject[];
  const match = { transport_protocol: "tls", application_protocols: ["istio", "istio-http/1.1"] };
  return {
    listener_filters: [inspector],
    filter_chains: [
      { ...chains(manager)[0], ...tls, filter_chain_match: match },
      { ...chains({})[0], filter_chain_match: { transport_protocol: "raw_buffer" } },
    ],
  };
}

export const sanitizeSet: JsonObject = {
  forward_client_cert_details: "SANITIZE_SET",
  set_current_client_cert_details: { subject: true, uri: true },
};

export const tcpChain = (cluster: string, more: JsonObject = {}): JsonObject => ({
  filters: [
    {
      name: "envoy.filters.network.tcp_proxy",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
        stat_prefix: cluster,
        cluster,
        access_log: [{ name: "test" }],
      },
    },
  ],
  ...more,
});

export const secretFrom = (value: JsonValue) => fromJson(SecretSchema, value);

const base64 = (text: string) => Buffer.from(text).toString("base64");

export const certificateSecret = ({ chain, key }: TestCertificate, name = "default") =>
  secretFrom({
    name,
    tls_certificate: { certificate_chain: { inline_bytes: base64(chain) }, private_key: { inline_bytes: base64(key) } },
  });

export const authoritySecret = (pem: string, name = "ROOTCA") =>
  secretFrom({ name, validation_context: { trusted_ca: { inline_bytes: base64(pem) } } });
