import type { JsonObject } from "@bufbuild/protobuf";
import { fail, ok, type Result } from "../../lib/result.ts";
import { problemsOf } from "../config/problems.ts";
import { compileFormat, compileJson, renderText } from "../format/format.ts";
import type { RequestRecord } from "../record.ts";

/** One line of a log. */
export type Formatter = (record: RequestRecord) => string;

/** Envoy's default text format. https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#default-format-string */
export const defaultTextFormat =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% ' +
  '%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" ' +
  '"%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"\n';

/** A text with command operators; `-` stands for what a record hasn't, or nothing with `omit_empty_values`. */
export function textFormatter(text: string, omitEmpty = false): Result<Formatter, string> {
  return compiled("format", () => {
    const format = compileFormat(text);
    return (record) => renderText(format, record, omitEmpty ? "" : "-");
  });
}

/** A JSON object whose texts are formats. One line per record. */
export function jsonFormatter(object: JsonObject, omitEmpty = false): Result<Formatter, string> {
  return compiled("json_format", () => {
    const render = compileJson(object, omitEmpty);
    return (record) => `${JSON.stringify(render(record))}\n`;
  });
}

function compiled(field: string, compile: () => Formatter): Result<Formatter, string> {
  try {
    return ok(compile());
  } catch (cause) {
    return fail(...problemsOf(cause).map((problem) => `${field}: ${problem}`));
  }
}
