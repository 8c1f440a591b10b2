// The dependency rule of docs/ARCHITECTURE.md, checked on the imports themselves.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

/**
 * The rooms of `server/sidecar` from the ground up: each may import those named, which stand above it in this list, so that there is no circle. What is no room
 * (`record.ts`, `stats.ts`, timers) is the ground under all of them; `data-plane.ts` and `process` put the rooms together.
 */
export const sidecarRooms: Record<string, readonly string[]> = {
  config: [],
  hash: [],
  text: ["config"],
  tls: ["text"],
  http: ["tls"],
  match: ["config", "http", "text"],
  format: ["config", "http", "tls"],
  route: ["config", "format", "hash", "http", "match", "text"],
  http1: ["http", "tls"],
  http2: ["http", "tls"],
  rbac: ["config", "http", "match", "text", "tls"],
  cluster: ["config", "hash", "http", "http1", "http2", "match", "route", "text", "tls"],
  upstream: ["cluster", "config", "http", "tls"],
  limit: [],
  probe: [],
  network: ["cluster", "config", "http", "limit", "match", "rbac", "upstream"],
  request: ["cluster", "http", "http1", "http2", "match", "route", "tls"],
  tcp: ["cluster", "config", "format", "hash", "http", "match", "route", "tls"],
  filters: [
    "cluster",
    "config",
    "http",
    "limit",
    "match",
    "rbac",
    "request",
    "route",
    "tcp",
    "text",
    "tls",
    "upstream",
  ],
  listener: ["cluster", "config", "filters", "http", "http1", "http2", "network", "request", "route", "tcp", "tls"],
  supported: ["filters", "network", "request"],
  grpc: ["cluster", "supported", "tls", "upstream"],
  bootstrap: ["grpc"],
  secret: ["bootstrap", "tls"],
  "access-log": ["config", "format", "grpc", "http", "match", "upstream"],
  tracing: ["access-log", "grpc", "http"],
  xds: ["cluster", "secret"],
  admin: ["access-log", "bootstrap", "cluster", "data-plane.ts", "listener", "secret", "tls", "xds"],
  workers: ["access-log", "admin", "listener", "xds"],
};

const sidecarGround = [
  "batch-exporter.ts",
  "duration.ts",
  "prometheus.ts",
  "record.ts",
  "response-flags.ts",
  "runtime.ts",
  "stats-snapshot.ts",
  "stats.ts",
  "wall-clock.ts",
];

/** Files of rooms that hold sockets, which know nothing of these themselves. */
const explained = ["server/sidecar/listener/chain-match.ts", "server/sidecar/request/normalize-path.ts"];

const sidecar = (name: string): string => `server/sidecar/${name}`;

/** What a token says of itself, apart from who asks for one. */
const tokens = ["claim-tests.ts", "claims-json.ts", "status.ts", "token.ts"].map((file) =>
  sidecar(`filters/jwt/${file}`),
);
const outside = ["server/http2", "server/wire", "server/lib", "server/gen", "server/proto", "server/xds"];

function sidecarRows(): Record<string, readonly string[]> {
  const ground = sidecarGround.map(sidecar);
  const rooms = Object.entries(sidecarRooms).map(([room, may]) => [
    sidecar(room),
    [...outside, ...ground, ...may.map(sidecar), ...explained, ...tokens],
  ]);
  const leaves = ground.map((file) => [file, [...outside, ...ground, sidecar("tls")]]);
  return Object.fromEntries([...rooms, ...leaves, [sidecar("data-plane.ts"), [...outside, "server/sidecar"]]]);
}

/** Folder → the folders it may import from, itself always included. */
export const allowed: Record<string, readonly string[]> = {
  "server/lib": [],
  "server/wire": ["server/lib"],
  "server/gen": [],
  "server/proto": ["server/gen"],
  "server/ca": ["server/lib"],
  "server/contract": [],
  "server/access": ["server/lib", "server/contract"],
  "server/config": ["server/wire", "server/lib", "server/contract"],
  "server/model": ["server/lib", "server/config"],
  "server/translate": ["server/wire", "server/lib", "server/gen", "server/proto", "server/model"],
  "server/http2": ["server/lib"],
  "server/grpc": ["server/http2", "server/lib", "server/gen"],
  "server/xds": ["server/lib", "server/gen", "server/proto", "server/grpc"],
  // Asks the data plane's own matchers, and of what a proxy is made of nothing else: docs/decisions/0023-explain-asks-the-matchers.md.
  "server/explain": [
    "server/lib",
    "server/gen",
    "server/proto",
    "server/wire",
    "server/contract",
    "server/config",
    "server/model",
    "server/xds",
    ...["config", "http", "match", "rbac", "route", "text", "duration.ts", "runtime.ts"].map(sidecar),
    ...tokens,
    ...explained,
  ],
  // Judges recorded calls by what translation makes and the data plane matches: docs/decisions/0047-policies-are-judged-as-proxies-do.md.
  "server/advice": [
    "server/lib",
    "server/gen",
    "server/wire",
    "server/contract",
    "server/config",
    "server/model",
    "server/query",
    "server/translate",
    ...["match", "rbac", "text"].map(sidecar),
  ],
  ...Object.fromEntries(explained.map((file) => [file, ["server/gen"]])),
  ...Object.fromEntries(
    tokens.map((file) => [file, ["server/gen", ...["config", "text", "duration.ts", "filters"].map(sidecar)]]),
  ),
  "server/ratelimit": ["server/lib", "server/gen", "server/config"],
  "server/control-plane": [
    "server/access",
    "server/grpc",
    "server/ratelimit",
    "server/wire",
    "server/ca",
    "server/config",
    "server/model",
    "server/translate",
    "server/xds",
    "server/lib",
    "server/gen",
    "server/proto",
    "server/contract",
  ],
  "server/sidecar": [...outside, "server/sidecar"],
  ...sidecarRows(),
  "server/telemetry": ["server/wire", "server/lib", "server/gen", "server/grpc"],
  "server/store": [
    "server/wire",
    "server/lib",
    "server/contract",
    "server/alerts",
    "server/gen",
    "server/config",
    "server/telemetry",
    "server/query",
    "server/access",
  ],
  "server/alerts": ["server/lib", "server/contract", "server/config"],
  "server/load": ["server/lib", "server/contract"],
  "server/query": ["server/wire", "server/lib", "server/contract"],
  // A proxy within an application: docs/sdk.md.
  "server/sdk": [
    "server/ca",
    "server/fleet/bootstrap.ts",
    "server/fleet/ports.ts",
    "server/gen",
    "server/lib",
    "server/sidecar",
    "server/wire",
    "server/xds",
  ],
  "server/trace-api": ["server/lib", "server/query", "server/telemetry"],
  "server/fleet/bootstrap.ts": ["server/ca", "server/fleet/ports.ts"],
  "server/fleet/ports.ts": [],
  "server/fleet": ["server/fleet", "server/ca", "server/lib", "server/wire", "server/config", "server/contract"],
  "server/dashboard": [
    "server/advice",
    "server/alerts",
    "server/access",
    "server/wire",
    "server/config",
    "server/contract",
    "server/explain",
    "server/fleet",
    "server/lib",
    "server/load",
    "server/model",
    "server/query",
    "server/store",
    "server/xds",
  ],
  "server/next.ts": ["server/dashboard"],
  "server/cli": ["server"],
  "components/ui": [],
  components: ["server/contract", "server/wire", "components"],
  app: ["components", "server/contract", "server/next.ts", "messages"],
  messages: [],
};

/** The only folders that may import a package. */
const reserved: Record<string, readonly string[]> = {
  "@prisma/client": ["server/store", "server/gen"],
  "@prisma/adapter-libsql": ["server/store"],
  pg: ["server/store"],
  "openid-client": ["server/access"],
  "@peculiar/x509": ["server/ca", "server/sidecar/secret/testing"],
  "reflect-metadata": ["server/ca", "server/sidecar/secret/testing"],
  cytoscape: ["components/mesh-graph"],
  "server-only": ["server/next.ts"],
};

export interface Violation {
  file: string;
  imports: string;
  reason: string;
}

export function findViolations(root: string): Violation[] {
  const violations: Violation[] = [];
  for (const file of sourceFiles(root)) {
    const from = ownerOf(file);
    if (from === undefined) continue;
    const isTest = /\.(test|integration|contract)\.tsx?$|\/testing\//.test(file);
    for (const specifier of importsOf(readFileSync(join(root, file), "utf8"))) {
      if (!specifier.startsWith(".")) {
        const name = specifier
          .split("/")
          .slice(0, specifier.startsWith("@") ? 2 : 1)
          .join("/");
        const owners = reserved[name];
        if (owners && !owners.some((owner) => file.startsWith(owner))) {
          violations.push({ file, imports: name, reason: `only ${owners.join(", ")} may import ${name}` });
        }
        continue;
      }
      const target = relative(root, resolve(root, dirname(file), specifier));
      const to = ownerOf(target);
      if (to === undefined || to === from) continue;
      if (isTest && (to.startsWith("server/") || to === "messages")) continue; // a test may set up what it needs around its subject
      const may = allowed[from] ?? [];
      if (!may.some((prefix) => to === prefix || to.startsWith(`${prefix}/`))) {
        violations.push({ file, imports: target, reason: `${from} may not import ${to}` });
      }
    }
  }
  return violations;
}

function ownerOf(path: string): string | undefined {
  return Object.keys(allowed)
    .filter((owner) => path === owner || path.startsWith(`${owner}/`))
    .sort((a, b) => b.length - a.length)[0];
}

function* sourceFiles(root: string): Generator<string> {
  const pending = ["server", "components", "app"];
  for (let dir = pending.pop(); dir !== undefined; dir = pending.pop()) {
    let entries: string[] = [];
    try {
      entries = readdirSync(join(root, dir));
    } catch {
      continue;
    }
    for (const entry of entries) {
      const path = join(dir, entry);
      if (path === "server/gen") continue;
      if (statSync(join(root, path)).isDirectory()) pending.push(path);
      else if (/\.tsx?$/.test(entry)) yield path;
    }
  }
}

/** Static and dynamic imports with a literal specifier, and re-exports. */
export function importsOf(source: string): string[] {
  const pattern =
    /(?:^|[\s;])(?:import|export)\b[^"'`;()]*?\bfrom\s*["']([^"']+)["']|\bimport\s*\(?\s*["']([^"']+)["']/g;
  return [...source.matchAll(pattern)].flatMap((match) => match[1] ?? match[2] ?? []);
}
