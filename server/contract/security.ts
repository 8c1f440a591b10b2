import { z } from "zod";
import { CallSample, Evidence } from "./advice.ts";
import { Gaps } from "./gaps.ts";
import { ConfigRule } from "./logs.ts";
import { PortMutualTls } from "./workloads.ts";

/** Who called, as `<namespace>/<workload>`; empty: nobody knows. */
export const CallerCalls = z.object({ caller: z.string(), calls: z.number() });
export type CallerCalls = z.infer<typeof CallerCalls>;

/** Whether it takes mutual TLS at all: it has a proxy with a certificate, one without, or none. */
export const ProxyIdentity = z.enum(["certified", "uncertified", "none"]);
export type ProxyIdentity = z.infer<typeof ProxyIdentity>;

export const SecuredPort = PortMutualTls.extend({
  /** Calls to this port; of a workload with several of them, of the lines that are kept. */
  plain: z.number(),
  mutual: z.number(),
});
export type SecuredPort = z.infer<typeof SecuredPort>;

/** How a workload was called: exact counts, as its own proxy told them. */
export const WorkloadSecurity = z.object({
  namespace: z.string(),
  name: z.string(),
  app: z.string(),
  version: z.string(),
  proxy: ProxyIdentity,
  ports: z.array(SecuredPort),
  plain: z.number(),
  /** By whom in plain text, the most frequent first. */
  plainCallers: z.array(CallerCalls),
  mutual: z.number(),
  /** Connections that no chain of its listeners took: plain text, where only mutual TLS is let in. */
  turnedAway: z.number(),
});
export type WorkloadSecurity = z.infer<typeof WorkloadSecurity>;

/** `GET /api/security/mutual-tls?window=<s>&at=<unix ms>`: the worst first. */
export const MutualTlsReport = z.object({
  fromMs: z.number(),
  toMs: z.number(),
  workloads: z.array(WorkloadSecurity),
});
export type MutualTlsReport = z.infer<typeof MutualTlsReport>;

/** Values of a chart, one a step; null: not recorded, or of a share that nobody called. */
const Column = z.array(z.number().nullable());

/** `GET /api/security/mutual-tls/trend?namespace=&workload=&window=<s>&at=<unix ms>`: how calls came over time, to a workload, to a namespace, or within all of the mesh. */
export const MutualTlsTrend = z.object({
  /** Start of the first step, Unix milliseconds. */
  fromMs: z.number(),
  toMs: z.number(),
  stepSec: z.number(),
  /** Since when there can be records. */
  dataFromMs: z.number(),
  gaps: Gaps,
  /** Calls per second. */
  mutual: Column,
  plain: Column,
  /** Of the calls that came by mutual TLS, 0 to 1. */
  share: Column,
});
export type MutualTlsTrend = z.infer<typeof MutualTlsTrend>;

/** Why a call would not come any more: nobody knows its caller, it has no proxy with a certificate, or a DestinationRule has it call in plain text. */
export const StrictBreakReason = z.enum(["caller-unknown", "no-proxy", "no-certificate", "rule", "barred"]);
export type StrictBreakReason = z.infer<typeof StrictBreakReason>;

export const BrokenCaller = CallerCalls.extend({ why: StrictBreakReason, sample: CallSample.nullable() });
export type BrokenCaller = z.infer<typeof BrokenCaller>;

/** A workload of which ports would become STRICT. */
export const StrictWorkload = z.object({
  namespace: z.string(),
  name: z.string(),
  /** `none`: nobody is there to refuse anything. `uncertified`: its proxy could take nothing at all. */
  proxy: ProxyIdentity,
  ports: z.array(z.number()),
  /** Calls to these ports in the window. */
  calls: z.number(),
  broken: z.array(BrokenCaller),
});
export type StrictWorkload = z.infer<typeof StrictWorkload>;

/** `GET /api/security/strict?namespace=&workload=&window=&at=`: what STRICT would break of what was recorded; without a namespace, in the whole mesh. */
export const StrictPreview = z.object({
  fromMs: z.number(),
  toMs: z.number(),
  /** The PeerAuthentication that would say so, as it is to be written. */
  policy: z.object({ namespace: z.string(), name: z.string(), exists: z.boolean(), yaml: z.string() }),
  /** Those of which most calls would break first. */
  workloads: z.array(StrictWorkload),
  /** Ports that would stay as they are, as a policy of their own goes before. */
  kept: z.array(z.object({ namespace: z.string(), name: z.string(), ports: z.array(PortMutualTls) })),
});
export type StrictPreview = z.infer<typeof StrictPreview>;

/** A policy, and which of its rules spoke. */
export const SpeakingPolicy = z.object({
  namespace: z.string(),
  name: z.string(),
  action: z.enum(["ALLOW", "DENY", "AUDIT", "CUSTOM"]),
  /** It is on trial, and refuses nobody. */
  dryRun: z.boolean(),
  /** Numbers of rules that decided a recorded call. */
  rules: z.array(z.number()),
});
export type SpeakingPolicy = z.infer<typeof SpeakingPolicy>;

/** What policies and STRICT let a caller do there: all requests, some (it depends on the request), none. */
export const Reach = z.enum(["all", "some", "none"]);
export type Reach = z.infer<typeof Reach>;

/** One application and what it called of another, both as `<namespace>/<app>`; a caller that nobody knows is empty. */
export const CoveredCall = z.object({
  caller: z.string(),
  called: z.string(),
  /** It is called from outside, where callers have no certificates of the mesh. */
  gateway: z.boolean(),
  calls: z.number(),
  mutual: z.number(),
  /** Of the lines that are kept: those that a rule, a token's check or a provider refused. */
  refused: z.number(),
  reach: Reach,
  /** In force or on trial before the called application. */
  policies: z.array(SpeakingPolicy),
});
export type CoveredCall = z.infer<typeof CoveredCall>;

/** `GET /api/security/coverage?window=<s>&at=<unix ms>` */
export const CoverageReport = z.object({
  fromMs: z.number(),
  toMs: z.number(),
  evidence: Evidence,
  /** Calls that were seen, the most frequent first. */
  calls: z.array(CoveredCall),
  /** Pairs that did not call, and could. */
  idle: z.array(CoveredCall.pick({ caller: true, called: true, reach: true })),
  /** There are too many pairs to judge those that did not call. */
  idleLeftOut: z.boolean(),
  /** Applications of which no policy speaks. */
  unguarded: z.array(z.string()),
});
export type CoverageReport = z.infer<typeof CoverageReport>;

/** `rule`: of an AuthorizationPolicy; `no-rule`: none of those that allow; `token`: RequestAuthentication's; `provider`: who was asked by a policy of action CUSTOM; `strict`: plain text. */
export const RefusalKind = z.enum(["rule", "no-rule", "token", "provider", "strict"]);
export type RefusalKind = z.infer<typeof RefusalKind>;

export const RefusedCaller = z.object({
  /** `<namespace>/<workload>`; empty: nobody knows. */
  caller: z.string(),
  mtls: z.boolean(),
  /** `<namespace>/<workload>`. */
  destination: z.string(),
  calls: z.number(),
  /** The newest of them; null: they were connections, and only counted. */
  sample: CallSample.nullable(),
});
export type RefusedCaller = z.infer<typeof RefusedCaller>;

export const RefusalGroup = z.object({
  kind: RefusalKind,
  /** What refused: a rule of one object, or the objects that say nothing for it. */
  by: z.array(ConfigRule),
  /** Envoy's response code details; of `strict` empty. */
  details: z.string(),
  calls: z.number(),
  /** Null: counted, and not told one by one. */
  lastAt: z.number().nullable(),
  /** Alike calls together, the most frequent first, at most 20. */
  callers: z.array(RefusedCaller),
});
export type RefusalGroup = z.infer<typeof RefusalGroup>;

/** One AuthorizationPolicy and what it does. */
export const PolicyEffect = SpeakingPolicy.omit({ rules: true }).extend({
  /** Of the lines that are kept. */
  allowed: z.number(),
  refused: z.number(),
  /** Of a policy on trial: what it would have refused of the calls that were judged; null: it is in force, or none was read. */
  trial: z.object({ judged: z.number(), wouldRefuse: z.number() }).nullable(),
});
export type PolicyEffect = z.infer<typeof PolicyEffect>;

/** `GET /api/security/refusals?window=<s>&at=<unix ms>` */
export const RefusalReport = z.object({
  fromMs: z.number(),
  toMs: z.number(),
  /** There are more refusals than were read. */
  cut: z.boolean(),
  groups: z.array(RefusalGroup),
});
export type RefusalReport = z.infer<typeof RefusalReport>;

/** `GET /api/security/policies?window=<s>&at=<unix ms>` */
export const PolicyReport = z.object({
  fromMs: z.number(),
  toMs: z.number(),
  evidence: Evidence,
  policies: z.array(PolicyEffect),
});
export type PolicyReport = z.infer<typeof PolicyReport>;

/** `GET /limpid/v1/certificates`: what was signed and has not ended, in that order, who gets nothing more, and what to trust. */
export const SignedCertificates = z.object({
  certificates: z.array(
    z.object({
      /** Hexadecimal. */
      serial: z.string(),
      spiffeUri: z.string(),
      /** Unix milliseconds. */
      notBeforeMs: z.number(),
      notAfterMs: z.number(),
      issuedMs: z.number(),
      /** How somebody proved who they are. */
      by: z.enum(["stream", "certificate", "token", "kubernetes"]),
    }),
  ),
  revoked: z.array(z.object({ spiffeUri: z.string(), atMs: z.number(), reason: z.string() })),
  rootPem: z.string(),
});
export type SignedCertificates = z.infer<typeof SignedCertificates>;

/** `late`: it should have been replaced by now. */
export const CertificateState = z.enum(["good", "late", "ended"]);
export type CertificateState = z.infer<typeof CertificateState>;

const Life = z.object({ notBeforeMs: z.number(), notAfterMs: z.number(), state: CertificateState });

export const RootCertificate = Life.extend({
  subject: z.string(),
  /** SHA-256, hexadecimal. */
  fingerprint: z.string(),
});
export type RootCertificate = z.infer<typeof RootCertificate>;

/** One identity and the certificate that it was given last. */
export const IdentityCertificate = Life.extend({
  spiffeUri: z.string(),
  serial: z.string(),
  issuedMs: z.number(),
  by: SignedCertificates.shape.certificates.element.shape.by,
  /** How many of its certificates are still good, this one among them. */
  good: z.number(),
  revoked: z.object({ atMs: z.number(), reason: z.string() }).nullable(),
  /** Proxies that came with this identity, `<namespace>/<name>`, and of each whether it is connected. */
  proxies: z.array(z.object({ id: z.string(), name: z.string(), connected: z.boolean() })),
});
export type IdentityCertificate = z.infer<typeof IdentityCertificate>;

/** `GET /api/security/certificates`: what ends first stands first. */
export const CertificateReport = z.object({
  at: z.number(),
  roots: z.array(RootCertificate),
  certificates: z.array(IdentityCertificate),
  /** Who gets nothing more, and has no certificate that is good. */
  revoked: SignedCertificates.shape.revoked,
});
export type CertificateReport = z.infer<typeof CertificateReport>;

/** `POST /api/security/certificates/revoke` and `/restore`. */
export const RevocationRequest = z.strictObject({
  spiffeUri: z.string().max(2_048),
  /** Kept with it. */
  reason: z.string().max(500).default(""),
});
export type RevocationRequest = z.infer<typeof RevocationRequest>;

/** Who gets nothing more, after either. */
export const RevokedIdentities = SignedCertificates.pick({ revoked: true });
export type RevokedIdentities = z.infer<typeof RevokedIdentities>;

/** `GET /api/security/revocation?identity=<SPIFFE id>&window=<s>&at=<unix ms>`: what it would do, or does, to revoke it. */
export const RevocationPreview = z.object({
  fromMs: z.number(),
  toMs: z.number(),
  spiffeUri: z.string(),
  revoked: IdentityCertificate.shape.revoked,
  /** It is the control plane's own, and stays. */
  own: z.boolean(),
  /** Those that come with it. */
  proxies: IdentityCertificate.shape.proxies,
  /** When the last of its certificates that are out ends; null: none is. */
  untilMs: z.number().nullable(),
  /** What it called by mutual TLS, by `<namespace>/<workload>`, the most frequent first: these are the calls that are refused. */
  calls: z.array(z.object({ called: z.string(), calls: z.number() })),
  /** Its calls in plain text, which say nothing of who calls. */
  plain: z.number(),
});
export type RevocationPreview = z.infer<typeof RevocationPreview>;
