import type { JsonObject, MessageInitShape } from "@bufbuild/protobuf";
import type { SubstitutionFormatStringSchema } from "../gen/proto/envoy/config/core/v3/substitution_format_string_pb.js";
import type { AccessLogFile } from "../model/mesh-settings.ts";
import type { ExtensionProvider } from "../model/specs.ts";

type FormatInit = MessageInitShape<typeof SubstitutionFormatStringSchema>;

/** As the MeshConfig has it. */
export function meshFormat({ encoding, format }: Pick<AccessLogFile, "encoding" | "format">): FormatInit {
  if (encoding === "JSON") return asJson(format === "" ? jsonFormat : (JSON.parse(format) as JsonObject));
  return asText(format);
}

/** As a provider of file logs has it. */
export function fileFormat({
  logFormat,
  omitEmptyValues,
}: NonNullable<ExtensionProvider["envoyFileAccessLog"]>): FormatInit {
  const { text = "", labels } = logFormat ?? {};
  const hasLabels = labels !== undefined && Object.keys(labels).length > 0;
  const format = labels === undefined ? asText(text) : asJson(hasLabels ? (labels as JsonObject) : jsonFormat);
  return { ...format, ...(omitEmptyValues && { omitEmptyValues }) };
}

const asJson = (json: JsonObject): FormatInit => ({ format: { case: "jsonFormat", value: json } });

/** Istio adds the end of a line that is missing. */
function asText(format: string): FormatInit {
  const text = format === "" ? textFormat : format.endsWith("\n") ? format : `${format}\n`;
  return { format: { case: "textFormatSource", value: { specifier: { case: "inlineString", value: text } } } };
}

// https://istio.io/latest/docs/tasks/observability/logs/access-log/#default-access-log-format
export const textFormat =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% ' +
  '%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% ' +
  '%BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" ' +
  '"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% ' +
  "%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n";

const jsonFormat: JsonObject = {
  start_time: "%START_TIME%",
  route_name: "%ROUTE_NAME%",
  method: "%REQ(:METHOD)%",
  path: "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
  protocol: "%PROTOCOL%",
  response_code: "%RESPONSE_CODE%",
  response_flags: "%RESPONSE_FLAGS%",
  response_code_details: "%RESPONSE_CODE_DETAILS%",
  connection_termination_details: "%CONNECTION_TERMINATION_DETAILS%",
  bytes_received: "%BYTES_RECEIVED%",
  bytes_sent: "%BYTES_SENT%",
  duration: "%DURATION%",
  upstream_service_time: "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
  x_forwarded_for: "%REQ(X-FORWARDED-FOR)%",
  user_agent: "%REQ(USER-AGENT)%",
  request_id: "%REQ(X-REQUEST-ID)%",
  authority: "%REQ(:AUTHORITY)%",
  upstream_host: "%UPSTREAM_HOST%",
  upstream_cluster: "%UPSTREAM_CLUSTER_RAW%",
  upstream_local_address: "%UPSTREAM_LOCAL_ADDRESS%",
  downstream_local_address: "%DOWNSTREAM_LOCAL_ADDRESS%",
  downstream_remote_address: "%DOWNSTREAM_REMOTE_ADDRESS%",
  requested_server_name: "%REQUESTED_SERVER_NAME%",
  upstream_transport_failure_reason: "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
};
