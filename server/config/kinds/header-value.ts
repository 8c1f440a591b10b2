import { type Told, told } from "../../contract/told.ts";
import { suggest } from "../../lib/suggest.ts";

const words = (text: string): string[] => text.trim().split(/\s+/);
const each = (prefixes: string, suffixes: string): string[] =>
  words(prefixes).flatMap((prefix) => words(suffixes).map((suffix) => `${prefix}_${suffix}`));

// Envoy's variables, by whether they take something in parentheses.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/advanced/substitution_formatter
const withArgument = new Set(
  words(`REQ RESP TRAILER REQ_WITHOUT_QUERY QUERY_PARAM METADATA DYNAMIC_METADATA CLUSTER_METADATA UPSTREAM_METADATA
    FILTER_STATE UPSTREAM_FILTER_STATE ENVIRONMENT COMMON_DURATION PER_REQUEST_STATE`),
);
const withOrWithout = new Set(
  words(`START_TIME START_TIME_LOCAL EMIT_TIME EMIT_TIME_LOCAL DOWNSTREAM_PEER_CERT_V_START DOWNSTREAM_PEER_CERT_V_END
    UPSTREAM_PEER_CERT_V_START UPSTREAM_PEER_CERT_V_END GRPC_STATUS QUERY_PARAMS PATH HOSTNAME`),
);
const plain = new Set([
  ...words(`PROTOCOL UPSTREAM_PROTOCOL RESPONSE_CODE RESPONSE_CODE_DETAILS RESPONSE_FLAGS RESPONSE_FLAGS_LONG CUSTOM_FLAGS
    CONNECTION_TERMINATION_DETAILS CONNECTION_ID ACCESS_LOG_TYPE LOCAL_REPLY_BODY REQUEST_HEADERS_BYTES RESPONSE_HEADERS_BYTES
    RESPONSE_TRAILERS_BYTES BYTES_RECEIVED BYTES_SENT BYTES_RETRANSMITTED PACKETS_RETRANSMITTED DURATION REQUEST_DURATION
    REQUEST_TX_DURATION RESPONSE_DURATION RESPONSE_TX_DURATION ROUNDTRIP_DURATION DOWNSTREAM_HANDSHAKE_DURATION
    UPSTREAM_CONNECTION_POOL_READY_DURATION GRPC_STATUS_NUMBER ROUTE_NAME VIRTUAL_CLUSTER_NAME FILTER_CHAIN_NAME STREAM_ID
    UNIQUE_ID TRACE_ID SPAN_ID REQUESTED_SERVER_NAME TLS_JA3_FINGERPRINT TLS_JA4_FINGERPRINT DOWNSTREAM_TRANSPORT_FAILURE_REASON
    UPSTREAM_TRANSPORT_FAILURE_REASON UPSTREAM_CLUSTER UPSTREAM_CLUSTER_RAW UPSTREAM_HOST UPSTREAM_HOST_NAME
    UPSTREAM_HOST_NAME_WITHOUT_PORT UPSTREAM_CONNECTION_ID UPSTREAM_REQUEST_ATTEMPT_COUNT DOWNSTREAM_PEER_SERIAL
    DOWNSTREAM_PEER_FINGERPRINT_1 DOWNSTREAM_PEER_FINGERPRINT_256 DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1
    DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256 DOWNSTREAM_PEER_CHAIN_SERIALS`),
  ...each(
    "DOWNSTREAM_LOCAL DOWNSTREAM_DIRECT_LOCAL DOWNSTREAM_REMOTE DOWNSTREAM_DIRECT_REMOTE UPSTREAM_LOCAL UPSTREAM_REMOTE",
    "ADDRESS ADDRESS_WITHOUT_PORT PORT ADDRESS_ENDPOINT_ID",
  ),
  ...each(
    "DOWNSTREAM UPSTREAM",
    `WIRE_BYTES_RECEIVED WIRE_BYTES_SENT HEADER_BYTES_RECEIVED HEADER_BYTES_SENT DECOMPRESSED_HEADER_BYTES_RECEIVED
     DECOMPRESSED_HEADER_BYTES_SENT TLS_VERSION TLS_CIPHER TLS_SESSION_ID PEER_ISSUER PEER_CERT`,
  ),
  ...each(
    "DOWNSTREAM_PEER DOWNSTREAM_LOCAL UPSTREAM_PEER UPSTREAM_LOCAL",
    "SUBJECT URI_SAN DNS_SAN IP_SAN EMAIL_SAN OTHERNAME_SAN",
  ),
]);
const all = [...withArgument, ...withOrWithout, ...plain];

/**
 * What is wrong with a header's value: its bytes, or a variable that no proxy has. Envoy refuses a whole virtual host for one such, and the
 * routes of everybody in it stay as they were.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#custom-request-response-headers
 */
export function headerValueError(value: string): Told | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what RFC 9110 §5.5 forbids in a field value
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value)) return told("control-characters", {});
  const variable = /%%|%([A-Z0-9_]+)(?:\(([^)]*)\))?(?::\d+)?%/y;
  for (let at = value.indexOf("%"); at >= 0; at = value.indexOf("%", variable.lastIndex)) {
    variable.lastIndex = at;
    const match = variable.exec(value);
    if (match === null) return told("lone-percent", {});
    const [, name, argument] = match;
    const error = name === undefined ? undefined : variableError(name, argument);
    if (error !== undefined) return error;
  }
  return undefined;
}

function variableError(name: string, argument: string | undefined): Told | undefined {
  const takes = withArgument.has(name) ? "an" : plain.has(name) ? "no" : withOrWithout.has(name) ? "any" : undefined;
  if (takes === undefined) {
    const near = suggest(name, all);
    return near ? told("variable-unknown-near", { name, near }) : told("variable-unknown", { name });
  }
  if (takes === "an" && !argument) return told("variable-argument", { name });
  if (takes === "no" && argument !== undefined) return told("variable-bare", { name });
  return undefined;
}
