/** Why a message was refused. The names are Envoy's response code details where Envoy has one. */
export type HttpParseError =
  | "http1.codec_error"
  | "http1.invalid_request_line"
  | "http1.invalid_status_line"
  | "http1.invalid_characters"
  | "http1.bare_line_feed"
  | "http1.obs_fold"
  | "http1.invalid_content_length"
  | "http1.content_length_and_chunked_not_allowed"
  | "http1.invalid_transfer_encoding"
  | "http1.transfer_encoding_not_implemented"
  | "http1.invalid_chunk"
  | "http1.invalid_trailer"
  | "http1.missing_host"
  | "http1.duplicate_host"
  | "http1.invalid_host"
  | "http1.invalid_url"
  | "http1.version_not_supported"
  | "headers_too_large"
  | "too_many_headers";

/** The status to answer with when a request is refused for `error`. */
export const statusOf = (error: HttpParseError): number => {
  switch (error) {
    case "headers_too_large":
    case "too_many_headers":
      return 431;
    case "http1.transfer_encoding_not_implemented":
      return 501;
    case "http1.version_not_supported":
      return 505;
    default:
      return 400;
  }
};
