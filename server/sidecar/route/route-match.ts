import type { RouteMatch } from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { at, each, together } from "../config/problems.ts";
import { getHeader } from "../http/headers.ts";
import { compileHeaders, type RequestTest } from "../match/header-matcher.ts";
import { compileMetadata } from "../match/metadata-matcher.ts";
import { compileQuery } from "../match/query-matcher.ts";
import type { RequestView } from "../match/request-view.ts";
import { type Runtime, type Share, shareOf } from "../runtime.ts";
import { compileRegex } from "../text/regex.ts";

export interface CompiledMatch {
  /** @param path without the query */
  readonly path: (path: string) => boolean;
  /** What `prefix_rewrite` replaces: the length of the matched prefix, or −1 for the whole path. */
  readonly prefixLength: number;
  readonly tests: readonly RequestTest[];
  /** Takes CONNECT, which has no path, and nothing else. */
  readonly connect: boolean;
  /** Share of matching requests that take the route. */
  readonly share: Share;
}

export function compileMatch(match: RouteMatch | undefined): CompiledMatch {
  if (match === undefined) throw new Error("match: required");
  return at("match", () => {
    const { path, headers, query } = together<Record<"headers" | "query", RequestTest[]> & Pick<CompiledMatch, "path">>(
      {
        path: () => compilePath(match),
        headers: () => compileHeaders(match.headers),
        query: () => each("query_parameters", match.queryParameters, compileQuery),
      },
    );
    const tests = [...headers, ...query];
    if (match.grpc !== undefined) tests.push(isGrpc);
    const metadata = each("dynamic_metadata", match.dynamicMetadata, compileMetadata);
    for (const test of metadata) tests.push((view) => test(view.dynamicMetadata));
    return {
      path,
      tests,
      prefixLength: prefixLength(match),
      connect: match.pathSpecifier.case === "connectMatcher",
      share: shareOf(match.runtimeFraction, 1),
    };
  });
}

/** What a rewrite of the prefix replaces: {@link CompiledMatch.prefixLength}. */
export function prefixLength(match: RouteMatch | undefined): number {
  const specifier = match?.pathSpecifier;
  const prefix =
    specifier?.case === "prefix" || specifier?.case === "pathSeparatedPrefix" ? specifier.value : undefined;
  return prefix?.length ?? -1;
}

/** What decides where a configuration leaves it open. */
export interface Chance {
  readonly runtime: Runtime;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export function matches(match: CompiledMatch, view: RequestView, path: string, chance: Chance): boolean {
  if (match.connect !== (path === "") || !match.path(path)) return false;
  for (const test of match.tests) if (!test(view)) return false;
  return chance.runtime.draws(match.share, chance.random);
}

function compilePath(match: RouteMatch): CompiledMatch["path"] {
  const specifier = match.pathSpecifier;
  const fold = match.caseSensitive === false;
  switch (specifier.case) {
    case "prefix": {
      const prefix = fold ? specifier.value.toLowerCase() : specifier.value;
      return prefix === "/" || prefix === "" ? always : folded((path) => path.startsWith(prefix), fold);
    }
    case "connectMatcher":
      return always;
    case "path": {
      const exact = fold ? specifier.value.toLowerCase() : specifier.value;
      return folded((path) => path === exact, fold);
    }
    case "pathSeparatedPrefix": {
      const prefix = fold ? specifier.value.toLowerCase() : specifier.value;
      const length = prefix.length;
      const test = (path: string) => path.startsWith(prefix) && (path.length === length || path[length] === "/");
      return folded(test, fold);
    }
    case "safeRegex":
      return at("safe_regex", () => compileRegex(specifier.value));
    default:
      throw new Error("path_specifier: required");
  }
}

const always = (): boolean => true;

const folded = (test: (path: string) => boolean, fold: boolean): ((path: string) => boolean) =>
  fold ? (path) => test(path.toLowerCase()) : test;

const isGrpc: RequestTest = (view) => {
  const type = getHeader(view.headers, "content-type") ?? "";
  return type === "application/grpc" || type.startsWith("application/grpc+");
};
