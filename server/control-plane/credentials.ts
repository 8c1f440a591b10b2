import { isIP } from "node:net";
import type { CertificateAuthority, IssuedCertificate } from "../ca/certificate-authority.ts";
import { controlPlaneIdentity } from "../ca/control-plane-identity.ts";
import type { HostNames } from "../ca/sign.ts";
import { WorkloadCertificates } from "../ca/workload-certificates.ts";
import type { Secret } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import type { ServerMaterial } from "../grpc/guarded-tls.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { certificateBlocks } from "../lib/pem.ts";
import type { Metrics } from "./metrics.ts";
import { secretsOf } from "./secrets/workload-secrets.ts";

/** What this control plane has from its certificate authority: its own certificate, and the secrets of the proxies that show one. */
export interface Credentials {
  readonly trustDomain: string;
  /**
   * For a server; issued when asked, for a year. `onRenewal` calls back when another takes its place, since the authority has changed: with `keeps` only when
   * nobody trusts the root of the old one any more, for clients read theirs when they start.
   */
  own(how: { keeps: boolean; onRenewal(material: ServerMaterial): void }): Promise<ServerMaterial>;
  /** `changed` is called when there are other secrets than `current()` gave before. */
  lease(identity: string, changed: () => void): SecretsLease;
  stop(): void;
}

export interface SecretsLease {
  /** Undefined while there is no certificate. */
  current(): ReadonlyMap<string, Secret> | undefined;
  release(): void;
}

const ownTtlSec = 365 * 86_400;

/** As Istio's agents call it, who look at the name and not at the SPIFFE id. */
const istiodNames = ["localhost", "127.0.0.1", "istiod.istio-system.svc", "istiod.istio-system.svc.cluster.local"];

function hostNamesOf(all: readonly string[]): HostNames {
  const names = [...new Set(all)];
  return { dns: names.filter((name) => isIP(name) === 0), ips: names.filter((name) => isIP(name) !== 0) };
}

export function createCredentials(options: {
  authority: CertificateAuthority;
  /** Roots in PEM, beside the authority's, that lead to certificates by which proxies may come. */
  bootstrapRoots?: string;
  /** Names and addresses by which proxies call this control plane, beside those that Istio's agents know. */
  hosts?: readonly string[];
  /** The mesh's, its own first: proxies that were started under a former name know the control plane by that. */
  trustDomains: () => readonly string[];
  /** After another root signs, every workload has a certificate by it within so long; default a minute. */
  reissueWithinMs?: number | undefined;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
}): Credentials {
  const { authority, clock, logger, metrics } = options;
  const count = {
    issued: metrics.counter("limpid_certificates_issued_total", "Certificates issued, renewals among them."),
    renewed: metrics.counter("limpid_certificates_renewed_total", "Certificates issued in place of an older one."),
    failed: metrics.counter("limpid_certificate_failures_total", "Certificates that could not be issued; tried again."),
  };
  const certificates = new WorkloadCertificates({ authority, clock, logger, events: count });
  let own: IssuedCertificate | undefined;
  metrics.gauge(
    "limpid_certificate_expiry_seconds",
    "Until the first ends of the workloads' certificates, the control plane's own and the authority's.",
    () => {
      const ends = [authority.notAfterMs, own?.notAfterMs, certificates.nextExpiryMs()];
      return Math.round((Math.min(...ends.filter((end) => end !== undefined)) - clock.now()) / 1000);
    },
  );
  const issueOwn = async () => {
    const [root = ""] = certificateBlocks(authority.rootPem);
    const certificate = await authority.issue({
      spiffeUri: controlPlaneIdentity(authority.trustDomain),
      ttlSec: ownTtlSec,
      hosts: {
        ...hostNamesOf([...istiodNames, ...(options.hosts ?? [])]),
        uris: options.trustDomains().slice(1).map(controlPlaneIdentity),
      },
    });
    count.issued();
    own = certificate;
    return { certificate, root };
  };
  const renewals: (() => Promise<void>)[] = [];
  authority.onChange?.(() => {
    certificates.refresh(options.reissueWithinMs ?? 60_000);
    for (const renew of renewals) {
      renew().catch((error: unknown) =>
        logger.error(
          { err: error },
          "the control plane's own certificate could not be renewed: the one before is shown",
        ),
      );
    }
  });
  return {
    trustDomain: authority.trustDomain,
    async own({ keeps, onRenewal }) {
      let issued = await issueOwn();
      const material = () => ({
        key: issued.certificate.keyPem,
        certificateChain: issued.certificate.chainPem,
        root: authority.rootPem + (options.bootstrapRoots ?? ""),
      });
      renewals.push(async () => {
        if (!keeps || !certificateBlocks(authority.rootPem).includes(issued.root)) issued = await issueOwn();
        onRenewal(material());
      });
      return material();
    },
    lease(identity, changed) {
      const lease = certificates.hold(identity, changed);
      return {
        current() {
          const certificate = lease.current();
          return certificate && secretsOf(certificate, authority.rootPem);
        },
        release: lease.release,
      };
    },
    stop: () => certificates.stop(),
  };
}
