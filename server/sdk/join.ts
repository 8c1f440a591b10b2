import { applicationBootstrap, type BootstrapCertificate, type ProxyIdentity } from "../fleet/bootstrap.ts";
import { type MeshPorts, meshPorts, type WorkloadPorts, workloadPorts } from "../fleet/ports.ts";
import { createLogger, type Logger } from "../lib/logger.ts";
import { formatFieldErrors } from "../lib/result.ts";
import { parseSpiffeUri } from "../lib/spiffe.ts";
import { version } from "../lib/version.ts";
import { parseBootstrap, type SidecarBootstrap } from "../sidecar/bootstrap/read-bootstrap.ts";
import type { EmbeddedSidecar } from "../sidecar/process/running-sidecar.ts";
import { embedSidecar } from "../sidecar/run.ts";
import type { JoinOptions, Mesh } from "./api.ts";
import { ApplicationMesh } from "./application-mesh.ts";
import { keepRenewing, obtain, secretsOf } from "./identity.ts";
import type { Obtained } from "./request-certificate.ts";
import { type Settings, settingsOf } from "./settings.ts";

/** Addresses in 127.255.0.0/16 that nothing is bound to: inside the process they stand for its applications. */
let joined = 0;

/**
 * Makes this process a part of the mesh, without a proxy beside it: it is served configuration as a sidecar is, and the sidecar's own engine routes, balances, retries, encrypts, guards and
 * measures in this process. Resolves when its first configuration is in force; rejects with an Error of one sentence, having freed everything.
 */
export async function join(options: JoinOptions): Promise<Mesh> {
  const settings = settingsOf(options);
  const logger = createLogger("limpid sdk", settings.logLevel);
  const host = settings.controlPlane;
  const mesh = meshPorts(settings.portOffset);
  const signers = { join: { host, port: mesh.join }, renew: { host, port: mesh.xdsTls } };
  const obtained = settings.credentials && (await obtain(settings.credentials, signers));
  const inside = `127.255.${(joined >> 8) % 256}.${joined++ % 256}`;
  const ports: WorkloadPorts = { ...workloadPorts(1, settings.portOffset), ip: settings.address, serviceOffset: 0 };
  const identity = identityOf(settings, obtained);
  const configure = (it: Obtained | undefined) => bootstrapOf(identity, { ports, mesh, host, inside }, it);
  const live = Promise.withResolvers<void>();
  const sidecar = await embedSidecar(
    { version, logger, logLevel: levelOf(logger), drainTimeMs: settings.drainTimeMs },
    configure(obtained),
    { userAgent: "limpid-sdk", secrets: obtained ? secretsOf(obtained) : [], onLive: live.resolve },
  );
  const stopRenewing =
    obtained &&
    keepRenewing(obtained, signers.renew, logger, (next) =>
      sidecar.identify(secretsOf(next), configure(next).bootstrap.staticResources?.clusters ?? []),
    );
  try {
    await within(settings.timeoutMs, live.promise, () =>
      whyNotLive(sidecar, settings, obtained ? mesh.xdsTls : mesh.xds),
    );
  } catch (error) {
    stopRenewing?.();
    await sidecar.release();
    throw error;
  }
  const outbound = { address: ports.ip, port: ports.outbound };
  return new ApplicationMesh({
    settings,
    sidecar,
    outbound,
    inside,
    identity: obtained?.identity,
    id: configure(undefined).node.id,
    stopRenewing,
  });
}

/** With a certificate the mesh goes by what that says. */
function identityOf(settings: Settings, obtained: Obtained | undefined): ProxyIdentity {
  const { service, version, workload, labels, ports } = settings;
  const { namespace, serviceAccount } = (obtained && parseSpiffeUri(obtained.identity)) ?? settings;
  return {
    type: "sidecar",
    workload,
    namespace,
    serviceAccount,
    labels: { ...labels, app: service, version },
    inboundPorts: ports.map((port) => ({ port, app: port })),
  };
}

interface Place {
  ports: WorkloadPorts;
  mesh: MeshPorts;
  host: string;
  inside: string;
}

function bootstrapOf(identity: ProxyIdentity, place: Place, obtained: Obtained | undefined): SidecarBootstrap {
  const { ports, mesh, host, inside } = place;
  const certificate: BootstrapCertificate | undefined = obtained && {
    inline: true,
    chain: obtained.chainPem,
    key: obtained.keyPem,
    root: obtained.rootPem,
    trustDomain: parseSpiffeUri(obtained.identity)?.trustDomain ?? "",
  };
  const json = applicationBootstrap(identity, ports, mesh, certificate, { host, inbound: inside });
  const parsed = parseBootstrap(JSON.stringify(json));
  if (!parsed.ok) throw new Error(formatFieldErrors(parsed.errors));
  return parsed.value;
}

const levelOf = (logger: Logger) => ({ get: () => logger.level, set: () => false });

async function within(ms: number, work: Promise<void>, why: () => string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(why())), ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function whyNotLive(sidecar: EmbeddedSidecar, { controlPlane, timeoutMs }: Settings, port: number): string {
  const at = `the control plane at ${controlPlane}:${port}`;
  const what = sidecar.connected ? "has not sent everything" : "does not answer";
  return `${at} ${what} within ${timeoutMs} ms`;
}
