import { Command } from "commander";
import { version } from "../lib/version.ts";

/** The `limpid` command. Each sub-command loads only what it needs, so that a sidecar starts small. */
const program = new Command("limpid")
  .description("A service mesh that you can see through: dashboard, control plane and sidecars in one command.")
  .version(version, "-V, --version", "print the version")
  .helpOption("-h, --help", "print this help")
  .showHelpAfterError("(limpid --help lists the commands)")
  .addHelpText(
    "after",
    `
Start here:
  limpid up                           the whole mesh with its demo, on this machine
  limpid status                       what runs where
  limpid apply -f reviews.yaml        change the mesh; kubectl --server=http://127.0.0.1:15014 works too

Environment:
  LIMPID_PORT_OFFSET   added to every port, so that several meshes run side by side
  LIMPID_DATA          the data folder (default: data, or data-<offset>)
  LIMPID_SERVER        the config API that apply, get, delete, routes, history and undo talk to
  LIMPID_USER          your name in the history (default: the name you are logged in by)
  LIMPID_TOKEN         an API token, for commands that ask a dashboard or a config API
  LIMPID_LOG_LEVEL     trace, debug, info, warn or error (default: info)
`,
  );

const portOffset = ["--port-offset <n>", "added to every port (LIMPID_PORT_OFFSET)"] as const;
const data = ["--data <folder>", "data folder (LIMPID_DATA)"] as const;
const retention = [
  "--retention <settings>",
  "how long and how much telemetry is kept, such as access-logs=3d,max-spans=200000 (LIMPID_RETENTION)",
] as const;

const trustDomain = [
  "--trust-domain <name>",
  "what the mesh's identities are of, spiffe://<name>/… (LIMPID_TRUST_DOMAIN, default cluster.local)",
] as const;

const traceSampling = [
  "--trace-sampling <settings>",
  "keep only traces with an error, the slowest of each operation and a random share, such as keep=5%,slowest=1,wait=5s (LIMPID_TRACE_SAMPLING)",
] as const;

const exportOtlp = [
  "--export-otlp <url>",
  "pass traces, metrics and logs on to an OTLP backend, such as http://127.0.0.1:14317 (LIMPID_EXPORTER_OTLP_ENDPOINT)",
] as const;

program
  .command("up")
  .summary("start the whole mesh with its demo, and keep it running")
  .description(
    "Starts control plane, collector, dashboard, the Bookinfo demo with one proxy per workload, an ingress gateway and traffic. Ctrl-C stops everything.",
  )
  .option(...portOffset)
  .option(...data)
  .option("--proxy <kind>", "`limpid`, the bundled sidecar, or `envoy`, the real one", "limpid")
  .option("--rate <rps>", "traffic at the gateway, requests per second; 0 for none", "20")
  .option(...retention)
  .option(...traceSampling)
  .option(...exportOtlp)
  .option(...trustDomain)
  .option("--no-demo", "start without the demo application")
  .option("--demo-grpc", "let the demo's reviews ask for ratings over gRPC")
  .option("--demo-sdk", "let the demo's details take part by the SDK, without a sidecar")
  .option("--no-dashboard", "start without the dashboard")
  .action(async (options) => (await import("./up.ts")).runUp(options));

program
  .command("status")
  .summary("say what runs where")
  .description("Asks a running `limpid up` for its parts: process id, address, health, restarts.")
  .option(...portOffset)
  .option("-o, --output <format>", "`text` or `json`", "text")
  .action(async (options) => (await import("./status.ts")).runStatus(options));

program
  .command("traffic")
  .argument("[rps]", "new rate, requests per second; without it, the present one is shown")
  .summary("show or set the demo's traffic while it runs")
  .description("Asks a running `limpid up` for the rate and the counts of its traffic, or sets the rate.")
  .option(...portOffset)
  .action(async (rate, options) => (await import("./status.ts")).runTraffic(rate, options));

program
  .command("restart")
  .argument("<part>", "as `limpid status` calls it, such as istio-ingressgateway")
  .summary("restart one part, without losing requests where it is a proxy")
  .description(
    "Asks a running `limpid up` to restart one part, and waits until it serves. A bundled proxy's successor serves before the old one drains (on Linux).",
  )
  .option(...portOffset)
  .action(async (part, options) => (await import("./status.ts")).runRestart(part, options));

program
  .command("control-plane")
  .summary("run the control plane: config API, xDS and CSDS")
  .description(
    "Serves the config API (HTTP, 15014) and xDS with CSDS (gRPC, 15010) on loopback, from config.db in the data folder.",
  )
  .option(...portOffset)
  .option(...data)
  .option(...trustDomain)
  .addHelpText(
    "after",
    `
LIMPID_CONFIG_DATABASE=postgres://user@host/name    keeps the config there, for several control planes
LIMPID_CONFIG_DIRECTORY=<folder>                    reads it from YAML files, and watches them
LIMPID_RATE_LIMIT_REDIS=redis://host:6379/0         counts rate limits there, together with other control planes
LIMPID_DASHBOARD=<url>                              where canaries ask how versions do (default: this machine's)
LIMPID_DASHBOARD_TOKEN=<token>                      by which that dashboard knows the control plane (limpid api-token create)

LIMPID_LISTEN=0.0.0.0                               where 15012, 15013 and 15016 (the config API over TLS) listen; what asks nobody stays on loopback
LIMPID_TLS_CERT_FILE=<pem>, LIMPID_TLS_KEY_FILE=<pem>  the config API's certificate (default: of the authority in console-ca)
LIMPID_ALLOWED_HOSTS=<names>                        names by which it is called there

A config.db that is gone is no new mesh: to begin anew, remove config-mesh.json beside it, too.`,
  )
  .action(async ({ trustDomain: name, ...options }) => {
    if (name !== undefined) process.env.LIMPID_TRUST_DOMAIN = name;
    await (await import("./control-plane.ts")).runControlPlane(options);
  });

program
  .command("collector")
  .summary("run the collector: access logs, traces, logs and metrics in")
  .description(
    "Takes access logs (gRPC, 4317), OTLP traces, logs and metrics (gRPC 4317, HTTP 4318) and Zipkin spans (HTTP 9411) on loopback, keeps them in telemetry.db in the data folder, and answers Zipkin's (9411) and Jaeger's (16686) query APIs.",
  )
  .option(...portOffset)
  .option(...data)
  .option(retention[0], `${retention[1]}; \`list\` prints every setting, and the disk it takes`)
  .option(...traceSampling)
  .option(...exportOtlp)
  .addHelpText(
    "after",
    `
LIMPID_TELEMETRY_DATABASE=postgres://user@host/name keeps telemetry there, for several collectors and dashboards.
LIMPID_LISTEN=0.0.0.0                               serves the same ports to other machines, too, over mutual TLS, for certificates of the mesh
LIMPID_MESH_ROOT_FILE=<pem>                         whose certificates these are (default: ca/root-cert.pem of the data folder)
LIMPID_TLS_CERT_FILE=<pem>, LIMPID_TLS_KEY_FILE=<pem>  the certificate shown there (default: of the authority in console-ca)

The backend, in OpenTelemetry's variables under another name; each also for one signal (LIMPID_EXPORTER_OTLP_TRACES_ENDPOINT):
  LIMPID_EXPORTER_OTLP_PROTOCOL             grpc (default) or http/protobuf
  LIMPID_EXPORTER_OTLP_HEADERS              name=value,name=value, percent-encoded; _HEADERS_FILE reads them from a file
  LIMPID_EXPORTER_OTLP_COMPRESSION          gzip (default) or none
  LIMPID_EXPORTER_OTLP_TIMEOUT              milliseconds for one attempt (default: 10000)
  LIMPID_EXPORTER_OTLP_CERTIFICATE          authorities that it is verified by; _CLIENT_CERTIFICATE and _CLIENT_KEY for mutual TLS`,
  )
  .action(async (options) => (await import("./collector.ts")).runCollector(options));

program
  .command("prometheus-config")
  .summary("print a prometheus.yml for this machine's mesh")
  .description(
    "Prints a whole prometheus.yml: Istio's standard metrics from the collector, the control plane's, the collector's own and the proxies'.",
  )
  .option(...portOffset)
  .action(async (options) => (await import("./prometheus-config.ts")).runPrometheusConfig(options));

program
  .command("dashboard")
  .summary("serve the dashboard")
  .description(
    "Serves the dashboard (HTTP, 3000) on loopback; it reads the control plane and telemetry.db in the data folder.",
  )
  .option(...portOffset)
  .option(...data)
  .addHelpText(
    "after",
    `
LIMPID_TELEMETRY_DATABASE=postgres://user@host/name reads telemetry there
LIMPID_TLS_CERT_FILE=<pem>, LIMPID_TLS_KEY_FILE=<pem>  serve HTTPS, too, on port 3443
LIMPID_LISTEN=0.0.0.0                               where HTTPS listens; HTTP stays on loopback
LIMPID_ALLOWED_HOSTS=<names>                        names by which the dashboard is called
LIMPID_URL=https://mesh.example.com                 its address for people, in sign-in links and for the identity provider
LIMPID_OIDC_ISSUER, LIMPID_OIDC_CLIENT_ID, LIMPID_OIDC_CLIENT_SECRET_FILE, LIMPID_OIDC_ROLES
                                                    sign-in by OpenID Connect: docs/access.md`,
  )
  .action(async (options) => (await import("./dashboard.ts")).runDashboard(options));

program
  .command("workload")
  .argument("<name>", "productpage, details, reviews or ratings")
  .summary("run one service of the demo application")
  .description("Runs one service of the Bookinfo demo, whose calls go through its sidecar.")
  .requiredOption("--app-version <v>", "its version label, such as v2")
  .requiredOption("--listen <host:port>", "where it serves")
  .option("--proxy <host:port>", "its sidecar's outbound HTTP port")
  .option("--sdk <host:port>", "without a sidecar: where the mesh calls it, and --listen tells of its health alone")
  .option(...portOffset)
  .option(...data)
  .option("--grpc-listen <host:port>", "where ratings are served over gRPC, too")
  .option("--grpc-ratings <authority>", "whom reviews ask for ratings over gRPC, such as ratings:9090")
  .action(async (name, options) => (await import("./workload.ts")).runDemoWorkload(name, options));

// These bring flags and code of their own, loaded only when they are what was asked for.
await lazy("sidecar", "run one proxy from an Envoy v3 bootstrap file", async () => {
  program.addCommand((await import("./sidecar.ts")).sidecarCommand());
});
await lazy("apply", "create or change mesh resources from YAML or JSON files", async () =>
  (await import("./config/apply.ts")).registerApply(program),
);
await lazy("get", "show mesh resources", async () => (await import("./config/get.ts")).registerGet(program));
await lazy("routes", "show the routing rules of a service", async () =>
  (await import("./config/routes.ts")).registerRoutes(program),
);
await lazy("delete", "delete mesh resources", async () => (await import("./config/delete.ts")).registerDelete(program));
await lazy("history", "show who changed what of the mesh, and when", async () =>
  (await import("./config/history.ts")).registerHistory(program),
);
await lazy("undo", "take back one change of the mesh", async () =>
  (await import("./config/history.ts")).registerUndo(program),
);
await lazy("design", "keep configurations under names, compare them and put them in force", async () =>
  (await import("./config/design.ts")).registerDesign(program),
);
await lazy("canary", "move traffic to a new version in steps, and back when it is worse", async () =>
  (await import("./canary/register.ts")).registerCanary(program),
);
await lazy("token", "let a machine join the mesh", async () =>
  (await import("./identity/token.ts")).registerToken(program),
);
await lazy("join", "give this machine's workload an identity and its proxy a bootstrap", async () =>
  (await import("./identity/join.ts")).registerJoin(program),
);
await lazy("certificates", "show the certificates that were signed, and revoke identities", async () =>
  (await import("./identity/certificates.ts")).registerCertificates(program),
);
await lazy("ca", "show the mesh's roots, and let one give way to another", async () =>
  (await import("./identity/ca.ts")).registerCa(program),
);
await lazy(
  "proxy-status",
  "show whether each proxy has what it should have",
  async () => (await import("./proxies/status.ts")).registerProxyStatus(program),
  "ps",
);
await lazy(
  "proxy-config",
  "show what a proxy has: listeners, routes, clusters, endpoints, secrets",
  async () => (await import("./proxies/config.ts")).registerProxyConfig(program),
  "pc",
);
await lazy("api-token", "make, list and revoke tokens for scripts, kubectl and CI", async () =>
  (await import("./api-token.ts")).registerApiToken(program),
);
await lazy("kubeconfig", "print a kubeconfig with a token, for kubectl over TLS", async () =>
  (await import("./kubeconfig.ts")).registerKubeconfig(program),
);
await lazy("console-link", "print a link that signs you in at the dashboard", async () =>
  (await import("./console-link.ts")).registerConsoleLink(program),
);
await lazy("logs", "print requests of the mesh, or follow them", async () =>
  (await import("./logs.ts")).registerLogs(program),
);
await lazy("tap", "print requests as they come, chosen by what they are", async () =>
  (await import("./live/tap.ts")).registerTap(program),
);
await lazy("top", "show the busiest services, workloads or calls, live", async () =>
  (await import("./live/top.ts")).registerTop(program),
);
await lazy("load", "send requests at a given rate and say how they were answered", async () =>
  (await import("./load/register.ts")).registerLoad(program),
);
await lazy("alerts", "show what people are told of, and say who is told", async () =>
  (await import("./alerts/register.ts")).registerAlerts(program),
);
await lazy("graph", "print who calls whom, as json, dot or mermaid", async () =>
  (await import("./live/graph.ts")).registerGraph(program),
);
await lazy("debug-bundle", "gather what somebody who helps from afar would ask for, without secrets", async () =>
  (await import("./debug-bundle.ts")).registerDebugBundle(program),
);
await lazy("traces", "search traces, or show one as a tree", async () =>
  (await import("./traces/register.ts")).registerTraces(program),
);
await lazy("explain", "say what happens to a request, and why", async () =>
  (await import("./explain/register.ts")).registerExplain(program),
);
await lazy("policy", "propose policies from recorded traffic, and say what they would have refused", async () =>
  (await import("./policy/register.ts")).registerPolicy(program),
);
await lazy("wait", "wait until the proxies have a mesh resource in force", async () =>
  (await import("./proxies/wait.ts")).registerWait(program),
);

await program.parseAsync();

async function lazy(name: string, summary: string, register: () => Promise<void>, alias?: string): Promise<void> {
  const [, , first, second] = process.argv;
  const isMeant = (word: string | undefined) => word !== undefined && (word === name || word === alias);
  if (isMeant(first) || (first === "help" && isMeant(second))) await register();
  else program.command(name).summary(summary);
}
