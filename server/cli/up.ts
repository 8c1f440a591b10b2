import { join } from "node:path";
import { readMachineToken } from "../access/machine-token.ts";
import { meshPorts } from "../fleet/ports.ts";
import { parseTrafficRate } from "../fleet/traffic.ts";
import { type RunningMesh, up } from "../fleet/up.ts";
import { logLevelOf } from "../lib/logger.ts";
import { trustDomainOf } from "../lib/trust-domain.ts";
import { version } from "../lib/version.ts";
import { telemetryDatabase } from "../store/open-telemetry.ts";
import { exportPrefix } from "../telemetry/export/settings.ts";
import { parseSampling } from "../telemetry/sampling-settings.ts";
import { parseRetention } from "../wire/retention-settings.ts";
import { makeLink } from "./console-link.ts";
import { exportSettings } from "./export-settings.ts";
import { dashboardListener } from "./listen.ts";
import { type CommonOptions, dataFolderOf, failWith, packageRoot, portOffsetOf } from "./options.ts";

interface UpCommandOptions extends CommonOptions {
  proxy: string;
  rate: string;
  retention?: string;
  trustDomain?: string;
  traceSampling?: string;
  exportOtlp?: string;
  demo: boolean;
  demoGrpc?: boolean;
  demoSdk?: boolean;
  dashboard: boolean;
}

export async function runUp(options: UpCommandOptions): Promise<void> {
  const started = performance.now();
  let mesh: RunningMesh | undefined;
  const interruption = new AbortController();
  const interrupt = () => {
    if (interruption.signal.aborted) return;
    process.stdout.write("\nstopping … ");
    interruption.abort();
    mesh?.stop().catch(failWith);
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  process.on("SIGHUP", interrupt);
  // Whoever reads what is said here may go (a closed pipe): the mesh goes on, and nothing is said of that.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  // The end of this process is the end of every part. What nobody foresaw is said, and the parts, which know nothing of it, go on.
  process.on("uncaughtException", (error) => {
    process.stderr.write(`! supervisor: ${error instanceof Error ? error.stack : String(error)}\n`);
  });
  try {
    logLevelOf(process.env.LIMPID_LOG_LEVEL); // wrong here is said once, and not by every part
    if (options.retention !== undefined) process.env.LIMPID_RETENTION = options.retention; // the parts inherit it
    parseRetention(process.env.LIMPID_RETENTION);
    if (options.trustDomain !== undefined) process.env.LIMPID_TRUST_DOMAIN = options.trustDomain;
    trustDomainOf(process.env);
    if (options.traceSampling !== undefined) process.env.LIMPID_TRACE_SAMPLING = options.traceSampling;
    parseSampling(process.env.LIMPID_TRACE_SAMPLING);
    telemetryDatabase();
    if (options.dashboard) dashboardListener(process.env);
    if (options.exportOtlp !== undefined) process.env[`${exportPrefix}ENDPOINT`] = options.exportOtlp;
    exportSettings(undefined, process.env, meshPorts(portOffsetOf(options)));
    process.stdout.write(`Limpid ${version}\n`);
    mesh = await up({
      data: dataFolderOf(options),
      portOffset: portOffsetOf(options),
      proxy: await proxyOf(options.proxy),
      cli: process.argv[1] ?? "",
      dashboard: options.dashboard,
      version,
      demo: options.demo,
      demoGrpc: options.demoGrpc === true,
      demoSdk: options.demoSdk === true,
      trafficRate: parseTrafficRate(options.rate),
      print: (line) => process.stdout.write(`${line}\n`),
      signal: interruption.signal,
    });
  } catch (error) {
    if (!interruption.signal.aborted) failWith(error);
    process.stdout.write("stopped\n");
    process.exit(0);
  }
  if (interruption.signal.aborted) await mesh.stop();
  else process.stdout.write(`${welcome(mesh, performance.now() - started, await signInLink(mesh))}\n`);
  await mesh.stopped;
  process.stdout.write("stopped\n");
  process.exit(0);
}

/** Undefined where there is no dashboard, or it can't say: the mesh is up all the same. */
async function signInLink(mesh: RunningMesh): Promise<string | undefined> {
  const { dashboard, data } = mesh.status();
  const token = readMachineToken(data);
  if (dashboard === null || token === undefined) return undefined;
  return makeLink(dashboard, token).then(
    ({ url }) => url,
    () => undefined,
  );
}

function welcome(mesh: RunningMesh, ms: number, link: string | undefined): string {
  const { dashboard, gateway, traffic, parts } = mesh.status();
  return [
    "",
    `  ${parts.length} parts up in ${(ms / 1000).toFixed(1)} s; Ctrl-C stops them all`,
    ...(dashboard ? [`  dashboard    ${dashboard}`] : []),
    ...(link ? [`  sign in      ${link}   once; another: npx limpid console-link`] : []),
    ...(parts.some((part) => part.kind === "gateway")
      ? [`  application  ${gateway}/productpage   ${traffic.rate} requests/s of traffic`]
      : []),
  ].join("\n");
}

async function proxyOf(kind: string): Promise<{ kind: "limpid" } | { kind: "envoy"; binary: string }> {
  if (kind === "limpid") return { kind };
  if (kind !== "envoy") throw new Error(`--proxy ${kind}: must be limpid or envoy`);
  const { ensureEnvoy } = await import("../fleet/envoy.ts");
  return { kind, binary: await ensureEnvoy(join(packageRoot, ".build")) };
}
