import type { RouteMatch } from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { runtimeShare } from "../match/fraction.ts";
import { compileHeaders, type RequestTest } from "../match/header-matcher.ts";
import { compileQuery } from "../match/query-matcher.ts";
import { compileRegex } from "../match/regex.ts";
import type { RequestView } from "../match/request-view.ts";

export interface CompiledMatch {
  /** @param path without the query */
  readonly path: (path: string) => boolean;
  /** What `prefix_rewrite` replaces: the length of the matched prefix, or −1 for the whole path. */
  readonly prefixLength: number;
  readonly tests: readonly RequestTest[];
  /** Share of matching requests that take the route. */
  readonly share: number;
}

export function compileMatch(match: RouteMatch | undefined): CompiledMatch {
  if (match === undefined) throw new Error("match: required");
  const tests = [...compileHeaders(match.headers), ...match.queryParameters.map(compileQuery)];
  if (match.grpc !== undefined) tests.push(isGrpc);
  return { ...compilePath(match), tests, share: runtimeShare(match.runtimeFraction, 1) };
}

export function matches(match: CompiledMatch, view: RequestView, path: string, random: () => number): boolean {
  if (!match.path(path)) return false;
  for (const test of match.tests) if (!test(view)) return false;
  return match.share === 1 || random() < match.share;
}

function compilePath(match: RouteMatch): Pick<CompiledMatch, "path" | "prefixLength"> {
  const specifier = match.pathSpecifier;
  const fold = match.caseSensitive === false;
  switch (specifier.case) {
    case "prefix": {
      const prefix = fold ? specifier.value.toLowerCase() : specifier.value;
      const prefixLength = prefix.length;
      if (prefix === "/" || prefix === "") return { path: always, prefixLength };
      return { path: folded((path) => path.startsWith(prefix), fold), prefixLength };
    }
    case "path": {
      const exact = fold ? specifier.value.toLowerCase() : specifier.value;
      return { path: folded((path) => path === exact, fold), prefixLength: -1 };
    }
    case "pathSeparatedPrefix": {
      const prefix = fold ? specifier.value.toLowerCase() : specifier.value;
      const length = prefix.length;
      const test = (path: string) => path.startsWith(prefix) && (path.length === length || path[length] === "/");
      return { path: folded(test, fold), prefixLength: length };
    }
    case "safeRegex":
      return { path: compileRegex(specifier.value), prefixLength: -1 };
    default:
      throw new Error("match.path_specifier: required");
  }
}

const always = (): boolean => true;

const folded = (test: (path: string) => boolean, fold: boolean): ((path: string) => boolean) =>
  fold ? (path) => test(path.toLowerCase()) : test;

const isGrpc: RequestTest = (view) => {
  const at = view.headers.indexOf("content-type");
  const type = at === -1 ? "" : (view.headers[at + 1] ?? "");
  return type === "application/grpc" || type.startsWith("application/grpc+");
};
