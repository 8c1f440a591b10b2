import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join, resolve } from "node:path";
import { setTimeout } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Command } from "commander";
import { certificatePaths, writeCertificate } from "../../ca/write-certificate.ts";
import { bootstrapFor, metadataOf, type ProxyConfigMetadata, type ProxyIdentity } from "../../fleet/bootstrap.ts";
import { meshPorts, parsePortOffset, workloadPorts } from "../../fleet/ports.ts";
import { parseSpiffeUri } from "../../lib/spiffe.ts";
import * as certificates from "../../sdk/request-certificate.ts";
import { portOffsetOption } from "../config/client.ts";
import { CliError, type CliIo, processIo, runCommand } from "../config/io.ts";
import { collect } from "../options.ts";
import { type DescribedWorkload, describeWorkload } from "./describe-workload.ts";
import { reportHealth } from "./report-health.ts";

interface JoinOptions {
  token?: string;
  controlPlane: string;
  portOffset?: string;
  name?: string;
  out?: string;
  ip: string;
  label?: string[];
  inbound?: string[];
  gateway?: boolean;
  group?: string;
  allowExec?: boolean;
  reportHealth?: boolean;
  renew?: boolean;
  keep?: boolean;
}

const help = `
Makes a key here, has it signed, and writes a bootstrap for the bundled sidecar or a real Envoy. The key never leaves the folder: the proxy reads it from
there, for its calls to the control plane and to other workloads alike, and the control plane sends it none. Before the certificate ends (a day), --renew gets another with
another key, by the certificate and without a token; --keep stays and does so in time. A proxy that runs takes it up by itself.

Examples:
  limpid join --token limpid-join-… --control-plane 10.0.0.5 --name cart-v1 --label app=cart --label version=v1 --inbound 9080:19080
  limpid sidecar -c cart-v1/bootstrap.json
  limpid join --token limpid-join-… --control-plane 10.0.0.5 --name cart-a --group cart --ip 10.0.0.7 --inbound 9080:19080
  limpid join --renew --keep --out cart-v1 --control-plane 10.0.0.5`;

/** `limpid join` */
export function registerJoin(program: Command, io: CliIo = processIo): void {
  program
    .command("join")
    .description("give this machine's workload an identity and its proxy a bootstrap")
    .option("--token <token>", "of limpid token create (or LIMPID_JOIN_TOKEN)")
    .option("--control-plane <address>", "where the control plane is", "127.0.0.1")
    .option("--name <workload>", "such as cart-v1")
    .option("--out <folder>", "for key, certificates and bootstrap (default: the name)")
    .option("--ip <address>", "at which the proxy listens and is called", "127.0.0.1")
    .option("--label <key=value>", "of the workload; may be given several times", collect)
    .option("--inbound <port:app>", "a port that the proxy binds, and the application's; several times", collect)
    .option("--gateway", "the proxy is a gateway")
    .option("--group <name>", "the WorkloadGroup that the workload registers for, with its probe and its labels")
    .option("--allow-exec", "run the group's probe on this machine where it is a command")
    .option("--renew", "get another certificate by the one in the folder")
    .option("--keep", "stay, and renew before each certificate ends")
    .option(
      "--report-health",
      "with --keep, where the proxy is an Envoy: probe the workload as its group says, and tell",
    )
    .addOption(portOffsetOption())
    .addHelpText("after", help)
    .action((options: JoinOptions) =>
      runCommand(io, async () => {
        if (options.renew) io.out(`${(await renew(options, io)).identity} renewed\n`);
        else await joinMesh(options, io);
        if (options.keep) {
          const folder = resolve(options.out ?? options.name ?? ".");
          const at = { host: options.controlPlane, port: portsOf(options, io).xdsTls };
          const stop = options.reportHealth ? reportHealth(folder, at, io) : () => undefined;
          await keepRenewing(options, io).finally(stop);
        }
      }),
    );
}

type Obtained = certificates.Obtained;

/** What goes wrong there is a sentence for people. */
async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new CliError(`error: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const portsOf = ({ portOffset }: JoinOptions, io: CliIo) =>
  meshPorts(parsePortOffset(portOffset ?? io.env.LIMPID_PORT_OFFSET));

async function joinMesh(options: JoinOptions, io: CliIo): Promise<void> {
  const { controlPlane, name, ip } = options;
  const token = options.token ?? io.env.LIMPID_JOIN_TOKEN;
  if (!token) throw new CliError("error: --token is required, or LIMPID_JOIN_TOKEN: limpid token create makes one");
  if (!name) throw new CliError("error: --name is required, such as cart-v1");
  const [, , pin] = token.split(".");
  if (pin === undefined)
    throw new CliError("error: the token is not whole: limpid token create prints three parts with dots between them");
  if (isIP(ip) === 0) throw new CliError(`error: --ip must be an IP address, not ${ip}`);
  const ports = portsOf(options, io);
  const identity = identityOf(options, name);
  const { group = "" } = options;
  const folder = resolve(options.out ?? name);
  const at = { host: controlPlane, port: ports.join };
  const root = await told(certificates.pinnedRoot(at, pin));
  const obtained = await told(certificates.requestCertificate(at, root, { token }));
  const id = parseSpiffeUri(obtained.identity);
  if (id === undefined) throw new CliError(`error: the control plane gave ${obtained.identity}, which is no identity`);
  const files = await keep(folder, obtained);
  writeSecretFiles(folder, obtained);
  const described = await told(
    describeWorkload({ host: controlPlane, port: ports.xdsTls }, obtained, { group, labels: identity.labels }),
  );
  checkProbe(described, options);
  const whole: ProxyIdentity = {
    ...identity,
    namespace: id.namespace,
    serviceAccount: id.serviceAccount,
    // What the group says of its workloads their own proxies say, too, by which rules and telemetry know them.
    labels: { ...described.group?.template.labels, ...described.group?.metadata?.labels, ...identity.labels },
    proxyConfig: described.proxyConfig,
    ...(group && { group }),
  };
  const at15001 = { ...workloadPorts(1, ports.offset), ip, serviceOffset: 0 };
  const bootstrap = bootstrapFor(
    whole,
    at15001,
    ports,
    { ...files, trustDomain: id.trustDomain, secretsFolder: folder },
    { kind: "port" },
    controlPlane,
  );
  writeFileSync(join(folder, "bootstrap.json"), `${JSON.stringify(bootstrap, null, 2)}\n`, { mode: 0o600 });
  io.out(`${obtained.identity} joined; key, certificates and bootstrap are in ${folder}\n`);
  io.out(startLines(join(folder, "bootstrap.json"), described));
}

/** A command in a probe is run here by whoever may write the group. */
function checkProbe({ proxyConfig }: DescribedWorkload, { allowExec, group }: JoinOptions): void {
  const { command } = (proxyConfig.readinessProbe?.exec ?? {}) as { command?: string[] };
  if (command === undefined || allowExec) return;
  throw new CliError(
    `error: the probe of WorkloadGroup ${group} is a command, ${JSON.stringify(command)}: --allow-exec lets it run on this machine`,
  );
}

/** What the bundled sidecar reads in its bootstrap Envoy takes from its command line. */
function startLines(bootstrap: string, { proxyConfig, group }: DescribedWorkload): string {
  const { concurrency, proxyMetadata = {} } = proxyConfig;
  const quoted = (text: string) => (/^[\w.,:/@-]*$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
  const variables = Object.entries(proxyMetadata).map(([name, value]) => `${name}=${quoted(value)} `);
  const workers = concurrency === undefined ? "" : ` --concurrency ${concurrency}`;
  const reporter = group?.probe
    ? "  beside Envoy, which knows no such probe: limpid join --renew --keep --report-health\n"
    : "";
  return `  limpid sidecar -c ${bootstrap}\n  ${variables.join("")}envoy -c ${bootstrap}${workers}\n${reporter}`;
}

async function renew(options: JoinOptions, io: CliIo): Promise<Obtained> {
  const folder = resolve(options.out ?? options.name ?? ".");
  const { key, certificateChain } = certificatePaths(folder);
  const rootFile = join(folder, "root-cert.pem");
  if (![key, certificateChain, rootFile].every(existsSync))
    throw new CliError(`error: ${folder} holds no identity: join first`);
  const certificate = { keyPem: readFileSync(key, "utf8"), chainPem: readFileSync(certificateChain, "utf8") };
  const at = { host: options.controlPlane, port: portsOf(options, io).xdsTls };
  const obtained = await told(certificates.requestCertificate(at, readFileSync(rootFile, "utf8"), { certificate }));
  await keep(folder, obtained);
  writeSecretFiles(folder, obtained);
  await refreshBootstrap(folder, at, obtained);
  return obtained;
}

/** What ProxyConfigs and the group say by now is taken up by the proxy's next start. */
async function refreshBootstrap(folder: string, at: { host: string; port: number }, obtained: Obtained): Promise<void> {
  const path = join(folder, "bootstrap.json");
  if (!existsSync(path)) return;
  const bootstrap = JSON.parse(readFileSync(path, "utf8")) as { node: { metadata: Record<string, unknown> } };
  const { metadata } = bootstrap.node;
  const asked = {
    group: typeof metadata.AUTO_REGISTER_GROUP === "string" ? metadata.AUTO_REGISTER_GROUP : "",
    labels: (metadata.LABELS ?? {}) as Record<string, string>,
  };
  const { proxyConfig } = await told(describeWorkload(at, obtained, asked));
  // Who was let run a command was asked when it joined: another one needs another yes.
  const before = (metadata.PROXY_CONFIG ?? {}) as ProxyConfigMetadata;
  const changedCommand =
    proxyConfig.readinessProbe?.exec !== undefined &&
    !isDeepStrictEqual(proxyConfig.readinessProbe.exec, before.readinessProbe?.exec);
  const readinessProbe = changedCommand ? before.readinessProbe : proxyConfig.readinessProbe;
  const { readinessProbe: _, ...start } = proxyConfig;
  bootstrap.node.metadata = {
    ...metadata,
    ...metadataOf(start),
    PROXY_CONFIG: { ...start, ...(readinessProbe && { readinessProbe }) },
  };
  writeFileSync(`${path}.new`, `${JSON.stringify(bootstrap, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Until it is told to stop: at half of each certificate's life another one, and after a failure again within minutes. */
async function keepRenewing(options: JoinOptions, io: CliIo): Promise<void> {
  const folder = resolve(options.out ?? options.name ?? ".");
  for (;;) {
    const { certificateChain } = certificatePaths(folder);
    const { validFromDate, validToDate } = new X509Certificate(readFileSync(certificateChain, "utf8"));
    const half = (validFromDate.getTime() + validToDate.getTime()) / 2;
    await pause(Math.max(half - Date.now(), 1_000), io.signal);
    if (io.signal?.aborted) return;
    try {
      const { identity } = await renew(options, io);
      io.out(`${identity} renewed\n`);
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      io.err(`${error.message}; tried again in five minutes\n`);
      await pause(300_000, io.signal);
    }
  }
}

const pause = (ms: number, signal: AbortSignal | undefined): Promise<void> =>
  setTimeout(Math.min(ms, 2 ** 31 - 1), undefined, { ...(signal && { signal }) }).catch(() => undefined);

/** Roots that came with the certificate are the mesh's as they are now: while one gives way to another both. */
async function keep(folder: string, obtained: Obtained): Promise<{ chain: string; key: string; root: string }> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { key, certificateChain } = await writeCertificate(folder, obtained);
  const root = join(folder, "root-cert.pem");
  writeFileSync(`${root}.new`, obtained.rootPem, { mode: 0o644 });
  renameSync(`${root}.new`, root);
  return { chain: certificateChain, key, root };
}

/** As SDS has them, each replaced as a whole: key and certificate change together. */
function writeSecretFiles(folder: string, { keyPem, chainPem, rootPem }: Obtained): void {
  const type = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";
  const write = (name: string, secret: object) => {
    const path = join(folder, `${name}.json`);
    const resources = [{ "@type": type, name, ...secret }];
    writeFileSync(`${path}.new`, JSON.stringify({ resources }), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  };
  const inline = (text: string) => ({ inline_string: text });
  write("ROOTCA", { validation_context: { trusted_ca: inline(rootPem) } });
  write("default", { tls_certificate: { certificate_chain: inline(chainPem), private_key: inline(keyPem) } });
}

function identityOf({ label = [], inbound = [], gateway }: JoinOptions, workload: string): ProxyIdentity {
  const labels = Object.fromEntries(
    label.map((text) => {
      const [key = "", value] = text.split("=");
      if (key === "" || value === undefined) throw new CliError(`error: --label must be key=value, not ${text}`);
      return [key, value];
    }),
  );
  const inboundPorts = inbound.map((text) => {
    const [port, app] = text.split(":").map(Number);
    const isPort = (it: number | undefined): it is number =>
      it !== undefined && Number.isInteger(it) && it > 0 && it < 65_536;
    if (!isPort(port) || !isPort(app))
      throw new CliError(`error: --inbound must be port:app, such as 9080:19080, not ${text}`);
    return { port, app };
  });
  return { type: gateway ? "router" : "sidecar", workload, namespace: "", serviceAccount: "", labels, inboundPorts };
}
