import type { SupportedFields } from "../../request/filter.ts";

/** Of what bytes go over: plain text, TLS, the PROXY protocol. */
export const transportFields: SupportedFields = {
  "envoy.config.core.v3.TransportSocket": ["name", "typed_config"],
  "envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer": [],
  "envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport": ["config", "transport_socket"],
  "envoy.config.core.v3.ProxyProtocolConfig": ["version", "pass_through_tlvs"],
  "envoy.config.core.v3.ProxyProtocolPassThroughTLVs": ["match_type", "tlv_type"],
  "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext": [
    "common_tls_context",
    "sni",
    // harmless: only how many sessions are kept for resumption, of which we keep none
    "max_session_keys",
  ],
  "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext": [
    "common_tls_context",
    "require_client_certificate",
    // harmless: no session is ever resumed
    "disable_stateless_session_resumption",
    "disable_stateful_session_resumption",
    "session_timeout",
  ],
  "envoy.extensions.transport_sockets.tls.v3.CommonTlsContext": [
    "tls_params",
    "tls_certificates",
    "tls_certificate_sds_secret_configs",
    "validation_context",
    "validation_context_sds_secret_config",
    "combined_validation_context",
    "alpn_protocols",
  ],
  "envoy.extensions.transport_sockets.tls.v3.CommonTlsContext.CombinedCertificateValidationContext": [
    "default_validation_context",
    "validation_context_sds_secret_config",
  ],
  "envoy.extensions.transport_sockets.tls.v3.TlsParameters": [
    "tls_minimum_protocol_version",
    "tls_maximum_protocol_version",
    "cipher_suites",
    "ecdh_curves",
  ],
  "envoy.extensions.transport_sockets.tls.v3.TlsCertificate": ["certificate_chain", "private_key"],
  "envoy.extensions.transport_sockets.tls.v3.SdsSecretConfig": ["name", "sds_config"],
  "envoy.extensions.transport_sockets.tls.v3.Secret": ["name", "tls_certificate", "validation_context"],
  "envoy.extensions.transport_sockets.tls.v3.CertificateValidationContext": [
    "trusted_ca",
    "match_typed_subject_alt_names",
    "verify_certificate_hash",
    "verify_certificate_spki",
    "crl",
    "trust_chain_verification",
  ],
  "envoy.extensions.transport_sockets.tls.v3.SubjectAltNameMatcher": ["san_type", "matcher"],
};
