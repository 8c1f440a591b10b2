import type { MatchPredicate } from "../../gen/proto/envoy/config/common/matcher/v3/matcher_pb.js";
import { at, each } from "../config/problems.ts";
import { allMatch, compileHeaders } from "./header-matcher.ts";
import type { RequestView } from "./request-view.ts";

/** @param headers flat [name, value, …] in lower case */
export type ResponseTest = (status: number, headers: readonly string[]) => boolean;

/** envoy.config.common.matcher.v3.MatchPredicate over the head of a response, whose `:status` is a header. Throws an Error naming the field. */
export function compileResponseMatcher({ rule }: MatchPredicate): ResponseTest {
  switch (rule.case) {
    case "anyMatch":
      return () => true;
    case "notMatch": {
      const test = at("not_match", () => compileResponseMatcher(rule.value));
      return (status, headers) => !test(status, headers);
    }
    case "orMatch": {
      const tests = at("or_match", () => each("rules", rule.value.rules, compileResponseMatcher));
      return (status, headers) => tests.some((test) => test(status, headers));
    }
    case "andMatch": {
      const tests = at("and_match", () => each("rules", rule.value.rules, compileResponseMatcher));
      return (status, headers) => tests.every((test) => test(status, headers));
    }
    case "httpResponseHeadersMatch": {
      const tests = at("http_response_headers_match", () => compileHeaders(rule.value.headers));
      return (status, headers) => allMatch(tests, viewOf([":status", String(status), ...headers]));
    }
    default:
      throw new Error(`${rule.case ?? "rule"}: ${rule.case === undefined ? "required" : "not supported"}`);
  }
}

const viewOf = (headers: readonly string[]): RequestView => ({
  method: "",
  path: "",
  authority: "",
  scheme: "",
  headers,
});
