import type { JsonObject, JsonValue } from "@bufbuild/protobuf";

const domains = [
  "a.test",
  "a.test:81",
  "*.a.test",
  "*.test",
  "*b.test",
  "api.*",
  "api.a.*",
  "A.Example",
  "*.example",
  "[::1]:82",
  "*",
];
const authorities = [
  "a.test",
  "A.TEST",
  "a.test:81",
  "x.a.test",
  "x.y.a.test",
  "b.test",
  "xb.test",
  "api.test",
  "api.a.b",
  "a.example",
  "z.example:81",
  "[::1]:82",
  "[::1]",
  "other",
];
const paths = [
  "/",
  "/a",
  "/a/",
  "/a/b",
  "/ab",
  "/A/b",
  "/a/b/c?x=1",
  "/a?x=1&y=2",
  "/a?y",
  "/c?x=",
  "/c/1",
  "/c/12",
  "/a/../c/1",
  "/a//b",
  "/%61/b",
  "/c?x=1&x=2",
  "/c?debug=true",
];
const headers: readonly (readonly [string, string])[] = [
  ["x-user", "jason"],
  ["x-user", "Jason"],
  ["x-user", ""],
  ["x-user", "jason, ana"],
  ["x-n", "5"],
  ["x-n", "-5"],
  ["x-n", "five"],
  ["x-env", "prod-eu"],
  ["x-env", "staging"],
  ["content-type", "application/grpc"],
  ["content-type", "application/grpc+proto"],
  ["content-type", "application/json"],
];
const methods = ["GET", "POST", "DELETE"];

export interface GeneratedRequest {
  authority: string;
  path: string;
  method: string;
  /** Flat. */
  headers: string[];
}

type Draw = <T>(of: readonly T[]) => T;

/** Virtual hosts whose domains overlap, each with routes that overlap more; a route's name says where it stands. */
export function virtualHosts(random: () => number): JsonObject[] {
  const draw: Draw = (of) => of[Math.floor(random() * of.length)] as (typeof of)[number];
  const left = domains.filter((domain) => domain === "*" || random() < 0.8);
  const hosts: JsonObject[] = [];
  while (left.length > 0) {
    const own = left.splice(0, 1 + Math.floor(random() * 2));
    const name = `host-${hosts.length}`;
    const routes = Array.from({ length: 10 }, (_, index) => route(`${name}/${index}`, draw, random));
    hosts.push({ name, domains: own, routes });
  }
  return hosts;
}

function route(name: string, draw: Draw, random: () => number): JsonObject {
  const match: JsonObject = pathMatch(draw);
  if (random() < 0.2) match.case_sensitive = false;
  if (random() < 0.5)
    match.headers = [headerMatch(draw, random), ...(random() < 0.3 ? [headerMatch(draw, random)] : [])];
  if (random() < 0.2) match.query_parameters = [queryMatch(draw)];
  if (random() < 0.05) match.grpc = {};
  if (random() < 0.05) match.runtime_fraction = { default_value: { numerator: draw([0, 100]) } };
  return { name, match, ...action(draw) };
}

const pathMatch = (draw: Draw): JsonObject =>
  draw<JsonObject>([
    { prefix: "/" },
    { prefix: "/a" },
    { prefix: "/A" },
    { prefix: "/a/b" },
    { path: "/a" },
    { path: "/c/1" },
    { path_separated_prefix: "/a" },
    { path_separated_prefix: "/c" },
    { safe_regex: { regex: "/c/\\d+" } },
    { safe_regex: { regex: "/[ac].*" } },
    { safe_regex: { regex: "/a" } },
  ]);

function headerMatch(draw: Draw, random: () => number): JsonObject {
  const name = draw(["x-user", "x-n", "x-env", ":method", ":authority", "content-type"]);
  const matcher = draw<JsonObject>([
    { string_match: { exact: "jason" } },
    { string_match: { exact: "JASON", ignore_case: true } },
    { string_match: { prefix: "prod" } },
    { string_match: { suffix: "g" } },
    { string_match: { contains: "as" } },
    { string_match: { safe_regex: { regex: "[a-z]+" } } },
    { string_match: { exact: "GET" } },
    { present_match: true },
    { present_match: false },
    { range_match: { start: -10, end: 6 } },
    {},
  ]);
  return {
    name,
    ...matcher,
    ...(random() < 0.25 && { invert_match: true }),
    ...(random() < 0.15 && { treat_missing_header_as_empty: true }),
  };
}

const queryMatch = (draw: Draw): JsonObject => ({
  name: draw(["x", "y", "debug"]),
  ...draw<JsonObject>([
    { string_match: { exact: "1" } },
    { string_match: { prefix: "t" } },
    { present_match: true },
    { present_match: false },
  ]),
});

const action = (draw: Draw): JsonObject =>
  draw<JsonObject>([
    { route: { cluster: "one" } },
    { route: { cluster: "two", prefix_rewrite: "/new" } },
    {
      route: {
        weighted_clusters: {
          clusters: [
            { name: "one", weight: 30 },
            { name: "two", weight: 70 },
          ],
        },
      },
    },
    {
      route: {
        weighted_clusters: {
          clusters: [
            { name: "one", weight: 0 },
            { name: "two", weight: 1 },
          ],
        },
      },
    },
    { route: { cluster_header: "x-env" } },
    { route: { cluster: "gone" } },
    { redirect: { host_redirect: "elsewhere.test" } },
    { direct_response: { status: 418 } },
  ]);

export function requests(random: () => number, count: number): GeneratedRequest[] {
  const draw: Draw = (of) => of[Math.floor(random() * of.length)] as (typeof of)[number];
  return Array.from({ length: count }, () => ({
    authority: draw(authorities),
    path: draw(paths),
    method: draw(methods),
    headers: Array.from({ length: Math.floor(random() * 4) }, () => draw(headers)).flat(),
  }));
}

/** RBAC of both kinds, over what a plain connection and a request show. */
export function rbacFilters(random: () => number): JsonObject[] {
  const draw: Draw = (of) => of[Math.floor(random() * of.length)] as (typeof of)[number];
  return ["DENY", "ALLOW"].map((action) => ({
    name: `rbac-${action}`,
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
      rules: {
        action,
        policies: Object.fromEntries(
          Array.from({ length: 3 }, (_, index) => [
            `ns[default]-policy[p${index}]-rule[0]`,
            {
              permissions: [all("and_rules", "rules", [permission(draw), permission(draw)])],
              principals: [principal(draw)],
            },
          ]).concat(
            action === "ALLOW"
              ? [["wide", { permissions: [{ url_path: { path: { prefix: "/a" } } }], principals: [{ any: true }] }]]
              : [],
          ),
        ),
      },
    },
  }));
}

const all = (field: string, list: string, of: JsonValue[]): JsonObject => ({ [field]: { [list]: of } });

const permission = (draw: Draw): JsonObject =>
  draw<JsonObject>([
    { header: { name: ":method", string_match: { exact: "GET" } } },
    { header: { name: "x-env", string_match: { prefix: "prod" } } },
    { not_rule: { header: { name: "x-user", present_match: true } } },
    { url_path: { path: { prefix: "/a" } } },
    { not_rule: { url_path: { path: { exact: "/c" } } } },
    all("or_rules", "rules", [
      { header: { name: ":authority", string_match: { suffix: ".test" } } },
      { url_path: { path: { safe_regex: { regex: "/c/.*" } } } },
    ]),
    { destination_ip: { address_prefix: "127.0.0.0", prefix_len: 8 } },
    { destination_port: 1 },
    { any: true },
  ]);

const principal = (draw: Draw): JsonObject =>
  draw<JsonObject>([
    { any: true },
    { direct_remote_ip: { address_prefix: "127.0.0.1", prefix_len: 32 } },
    { not_id: { direct_remote_ip: { address_prefix: "10.0.0.0", prefix_len: 8 } } },
    { authenticated: { principal_name: { exact: "spiffe://cluster.local/ns/default/sa/a" } } },
    { header: { name: "x-user", string_match: { exact: "jason" } } },
    { not_id: { header: { name: "x-user", string_match: { exact: "jason" } } } },
  ]);
