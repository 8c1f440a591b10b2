import { X509Certificate } from "node:crypto";
import type {
  CertificateReport,
  CertificateState,
  IdentityCertificate,
  ProxyList,
  RootCertificate,
  SignedCertificates,
} from "../contract/index.ts";

type Holder = Pick<ProxyList["proxies"][number], "id" | "name" | "namespace" | "identity" | "connected">;

/** Proxies by the identity that they came with. */
export const holdersOf = (proxies: readonly Holder[]): ReadonlyMap<string | null, IdentityCertificate["proxies"]> =>
  new Map(
    [...Map.groupBy(proxies, ({ identity }) => identity)].map(([identity, own]) => [
      identity,
      own.map(({ id, namespace, name, connected }) => ({ id, name: `${namespace}/${name}`, connected })),
    ]),
  );

/** A root gives way to the next in steps that take days (`limpid ca rotate`). */
const rootLateMs = 30 * 86_400_000;

/** Roots, and the newest certificate of each identity, those that end first at the top. */
export function certificateReport(
  { certificates, revoked, rootPem }: SignedCertificates,
  proxies: readonly Holder[],
  now: number,
): CertificateReport {
  const holders = holdersOf(proxies);
  const gone = new Map(revoked.map((it) => [it.spiffeUri, it]));
  const identities = [...Map.groupBy(certificates, ({ spiffeUri }) => spiffeUri)].flatMap(
    ([spiffeUri, all]): IdentityCertificate[] => {
      const newest = all.reduce((a, b) => (b.issuedMs >= a.issuedMs ? b : a));
      const its = gone.get(spiffeUri);
      return [
        {
          ...newest,
          state: stateOf(newest, (newest.notAfterMs - newest.notBeforeMs) / 4, now),
          good: all.filter(({ notAfterMs }) => notAfterMs > now).length,
          revoked: its ? { atMs: its.atMs, reason: its.reason } : null,
          proxies: holders.get(spiffeUri) ?? [],
        },
      ];
    },
  );
  const known = new Set(identities.map(({ spiffeUri }) => spiffeUri));
  return {
    at: now,
    roots: rootsOf(rootPem, now),
    certificates: identities.sort((a, b) => a.notAfterMs - b.notAfterMs),
    revoked: revoked.filter(({ spiffeUri }) => !known.has(spiffeUri)),
  };
}

/** Certificates are replaced at half of their life; one with less left than this was not. */
const stateOf = ({ notAfterMs }: { notAfterMs: number }, lateMs: number, now: number): CertificateState =>
  notAfterMs <= now ? "ended" : notAfterMs - now < lateMs ? "late" : "good";

const rootsOf = (pem: string, now: number): RootCertificate[] =>
  [...pem.matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)].map(([block]) => {
    const { subject, validFromDate, validToDate, fingerprint256 } = new X509Certificate(block);
    const life = { notBeforeMs: validFromDate.getTime(), notAfterMs: validToDate.getTime() };
    return {
      ...life,
      state: stateOf(life, rootLateMs, now),
      subject: subject.replaceAll("\n", ", "),
      fingerprint: fingerprint256.replaceAll(":", "").toLowerCase(),
    };
  });

/** Those that somebody relies on and that were not replaced in time; who is gone needs none, and who was revoked gets none. */
export function expiringOf({ roots, certificates }: CertificateReport): number {
  const late = certificates.filter(
    ({ state, revoked, proxies }) => state !== "good" && revoked === null && proxies.some(({ connected }) => connected),
  );
  return late.length + roots.filter(({ state }) => state !== "good").length;
}
