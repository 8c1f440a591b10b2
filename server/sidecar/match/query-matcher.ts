import type { QueryParameterMatcher } from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { at } from "../config/problems.ts";
import { compileString } from "../text/string-matcher.ts";
import type { RequestTest } from "./header-matcher.ts";
import type { RequestView } from "./request-view.ts";

export function compileQuery(matcher: QueryParameterMatcher): RequestTest {
  const specifier = matcher.queryParameterMatchSpecifier;
  const name = matcher.name;
  if (specifier.case === "stringMatch") {
    const test = at("string_match", () => compileString(specifier.value));
    return (view) => {
      const value = queryParameter(view, name);
      return value !== undefined && test(value);
    };
  }
  const wanted = specifier.case === undefined || specifier.value;
  return (view) => (queryParameter(view, name) !== undefined) === wanted;
}

/** The first parameter of a name. Like Envoy, values are compared as sent, without percent-decoding. */
export function queryParameter(view: RequestView, name: string): string | undefined {
  const question = view.path.indexOf("?");
  if (question === -1) return undefined;
  for (const pair of view.path.slice(question + 1).split("&")) {
    const equals = pair.indexOf("=");
    if ((equals === -1 ? pair : pair.slice(0, equals)) === name) return equals === -1 ? "" : pair.slice(equals + 1);
  }
  return undefined;
}
