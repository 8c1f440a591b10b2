import { z } from "zod";
import { coverage } from "../advice/coverage.ts";
import { createGuarding, type Guarding } from "../advice/guarding.ts";
import { mutualTlsByWorkload, turnedAwayFrom } from "../advice/mutual-tls.ts";
import { policyEffects } from "../advice/policy-effects.ts";
import { evidenceOf } from "../advice/propose.ts";
import { createReach } from "../advice/reach.ts";
import { recordedCall } from "../advice/recorded-call.ts";
import { refusalLines } from "../advice/refusal.ts";
import { groupRefusals, strictRefusals } from "../advice/refusals.ts";
import { callsOfIdentity } from "../advice/revocation.ts";
import { strictPolicy } from "../advice/strict-policy.ts";
import { previewStrict } from "../advice/strict-preview.ts";
import { type AdvisedWorkload, advisedWorkloads, identitiesOf } from "../advice/workload-proxy.ts";
import type { ConfigObject } from "../config/object.ts";
import { toYaml } from "../config/to-yaml.ts";
import type {
  CertificateReport,
  CoverageReport,
  MeshStatus,
  MutualTlsReport,
  MutualTlsTrend,
  PolicyReport,
  ProxyList,
  RefusalReport,
  RevocationPreview,
  SignedCertificates,
  StrictPreview,
  WorkloadViews,
} from "../contract/index.ts";
import { remember, rememberEach } from "../lib/remember.ts";
import { controlPlaneNamespace, parseSpiffeUri } from "../lib/spiffe.ts";
import { buildMesh, type Mesh } from "../model/mesh.ts";
import type { Queries } from "../query/queries.ts";
import type { RecordedCalls } from "../query/recorded-calls.ts";
import { meantBy, meshWith, targetsOf } from "./advice.ts";
import { certificateReport, expiringOf, holdersOf } from "./certificates.ts";
import { At, Window } from "./metrics.ts";
import { parse } from "./parse.ts";

type Asked = Readonly<Record<string, string>>;

/** `query` as in contract/security.ts. All reject with INVALID where it is wrong. */
export interface Security {
  mutualTls(query: Asked): Promise<MutualTlsReport>;
  /** Also of who is gone by now: what was recorded of them stays true. */
  mutualTlsTrend(query: Asked): Promise<MutualTlsTrend>;
  /** Rejects with NOT_FOUND where nobody is called so. */
  strictPreview(query: Asked): Promise<StrictPreview>;
  coverage(query: Asked): Promise<CoverageReport>;
  refusals(query: Asked): Promise<RefusalReport>;
  policyEffects(query: Asked): Promise<PolicyReport>;
  /** Rejects with NOT_FOUND where there is no certificate authority. */
  certificateReport(): Promise<CertificateReport>;
  revocationPreview(query: Asked): Promise<RevocationPreview>;
  /** What wants a look now. */
  securityTrouble(): Promise<NonNullable<MeshStatus["security"]>>;
}

export interface SecuritySource {
  queries(): Promise<Pick<Queries, "recordedCalls" | "lines" | "turnedAway" | "mutualTlsTrend">>;
  workloads(): Promise<WorkloadViews>;
  proxies(): Promise<Pick<ProxyList, "proxies">>;
  /** All of the mesh. */
  objects(): Promise<ConfigObject[]>;
  certificates(): Promise<SignedCertificates>;
  now(): number;
}

const Stretch = Window.extend(At.shape);
type Stretch = z.infer<typeof Stretch>;
const name = z.string().min(1).max(253);
const Target = Stretch.extend({ namespace: name.optional(), workload: name.optional() }).refine(
  ({ namespace, workload }) => workload === undefined || namespace !== undefined,
  { path: ["namespace"], error: "must be given with a workload" },
);

const Identity = Stretch.extend({ identity: z.string().min(1).max(2_048) });

interface Known extends Pick<WorkloadViews, "workloads"> {
  mesh: Mesh;
  objects: ConfigObject[];
  advised: AdvisedWorkload[];
  identities: ReadonlyMap<string, string>;
  guarding: Guarding;
}

/** Seconds in which plain text that was turned away is news. */
const lately = 900;

/** Many look at the same stretch at once, and each look reads all calls of it. */
const remembered = <T, Q extends Stretch = Stretch>(load: (asked: Q) => Promise<T>) =>
  rememberEach(load, { ms: 2000, maxKeys: 16, keyOf: (asked) => JSON.stringify(asked) });

const keyOf = ({ namespace, workload }: { namespace: string; workload: string }): string => `${namespace}/${workload}`;

/** Who speaks to whom under mutual TLS, who may, and who was refused. */
export function createSecurity(source: SecuritySource): Security {
  const known = remember(async (): Promise<Known> => {
    const [{ workloads, trustDomain }, { proxies }, objects] = await Promise.all([
      source.workloads(),
      source.proxies(),
      source.objects(),
    ]);
    const mesh = buildMesh(objects, 0, { trustDomain });
    const identities = identitiesOf(workloads, proxies, trustDomain);
    const guarding = createGuarding(mesh, workloads);
    return { workloads, mesh, objects, identities, guarding, advised: advisedWorkloads(workloads, proxies) };
  }, 1500);

  const recorded = async (stretch: Stretch, { advised }: Known, linesOf: (workload: string) => boolean) => {
    const names = new Set(advised.map(({ namespace, name: workload }) => keyOf({ namespace, workload })));
    return (await source.queries()).recordedCalls({
      ...stretch,
      destinations: ({ destination }) => names.has(keyOf(destination)),
      linesOf: ({ destination }) => linesOf(keyOf(destination)),
    });
  };
  const callsOf = ({ rows }: RecordedCalls, { identities }: Known) => rows.map((row) => recordedCall(row, identities));

  const mutualTls = remembered(async (stretch): Promise<MutualTlsReport> => {
    const all = await known();
    const { workloads, advised } = all;
    const several = new Set(
      workloads.flatMap(({ namespace, name: workload, mtls }) =>
        mtls.length > 1 ? [keyOf({ namespace, workload })] : [],
      ),
    );
    const [{ fromMs, toMs, sums, rows }, turnedAway] = await Promise.all([
      recorded(stretch, all, (it) => several.has(it)),
      (await source.queries()).turnedAway(stretch),
    ]);
    return { fromMs, toMs, workloads: mutualTlsByWorkload({ workloads, advised, sums, rows, turnedAway }) };
  });

  const covered = remembered(async (stretch): Promise<CoverageReport> => {
    const all = await known();
    const found = await recorded(stretch, all, () => true);
    const reach = createReach(all.mesh, all.workloads);
    const calls = callsOf(found, all);
    const { fromMs, toMs, sums } = found;
    const report = coverage({ ...all, workloads: all.advised, sums, calls, reach });
    return { fromMs, toMs, evidence: evidence(found), ...report };
  });

  const refused = remembered(async (stretch): Promise<RefusalReport> => {
    const [all, { workloads }, ready] = await Promise.all([known(), mutualTls(stretch), source.queries()]);
    const { fromMs, toMs, rows, cut } = await ready.lines({ ...stretch, of: refusalLines });
    const groups = [...strictRefusals(workloads), ...groupRefusals(rows, all.advised, all.guarding)];
    return { fromMs, toMs, cut, groups };
  });

  const effects = remembered(async (stretch): Promise<PolicyReport> => {
    const all = await known();
    const found = await recorded(stretch, all, () => true);
    const calls = callsOf(found, all);
    const { fromMs, toMs } = found;
    return {
      fromMs,
      toMs,
      evidence: evidence(found),
      policies: policyEffects({ ...all, workloads: all.advised, calls }),
    };
  });

  const certificates = remember(async () => {
    const [signed, { proxies }] = await Promise.all([source.certificates(), source.proxies()]);
    return certificateReport(signed, proxies, source.now());
  }, 1500);

  const trend = remembered(async (asked: z.infer<typeof Target>) => (await source.queries()).mutualTlsTrend(asked));

  return {
    mutualTlsTrend: async (query) => trend(parse(Target, query)),
    mutualTls: async (query) => mutualTls(parse(Stretch, query)),
    coverage: async (query) => covered(parse(Stretch, query)),
    refusals: async (query) => refused(parse(Stretch, query)),
    policyEffects: async (query) => effects(parse(Stretch, query)),
    certificateReport: certificates,
    async revocationPreview(query) {
      const { identity, ...stretch } = parse(Identity, query);
      const [{ certificates: signed, revoked }, all, { proxies }] = await Promise.all([
        source.certificates(),
        known(),
        source.proxies(),
      ]);
      const ends = signed.filter(({ spiffeUri }) => spiffeUri === identity).map(({ notAfterMs }) => notAfterMs);
      const untilMs = Math.max(0, ...ends);
      const { fromMs, toMs, sums } = await recorded(stretch, all, () => false);
      return {
        ...{ fromMs, toMs, spiffeUri: identity },
        revoked: revoked.find(({ spiffeUri }) => spiffeUri === identity) ?? null,
        own: parseSpiffeUri(identity)?.namespace === controlPlaneNamespace,
        proxies: holdersOf(proxies).get(identity) ?? [],
        untilMs: untilMs > source.now() ? untilMs : null,
        ...callsOfIdentity(identity, sums, all.identities),
      };
    },
    securityTrouble: remember(async () => {
      const [{ workloads }, ready] = await Promise.all([source.workloads(), source.queries()]);
      const counts = await ready.turnedAway({ window: lately });
      const turnedAway = workloads.filter((it) => turnedAwayFrom(it, counts) > 0).length;
      // A mesh without an authority has nothing that could end.
      const expiring = await certificates().then(expiringOf, () => 0);
      return { expiring, turnedAway };
    }, 10_000),
    async strictPreview(query) {
      const { namespace, workload, ...stretch } = parse(Target, query);
      const all = await known();
      const { mesh, workloads, advised } = all;
      const [first] = namespace && workload ? targetsOf(meantBy(advised, namespace, workload), workload) : [];
      const target = first && { ...first.target, labels: first.of[0]?.labels ?? {} };
      const { object, exists } = strictPolicy(mesh, { namespace, workload: target });
      const after = meshWith(all, [object]);
      const { fromMs, toMs, sums, ...found } = await recorded(stretch, all, () => true);
      const calls = callsOf({ ...found, fromMs, toMs, sums }, all);
      const policy = { namespace: object.metadata.namespace, name: object.metadata.name, exists, yaml: toYaml(object) };
      return { fromMs, toMs, policy, ...previewStrict({ before: mesh, after, workloads, advised, sums, calls }) };
    },
  };
}

const evidence = ({ sums, rows, cut }: RecordedCalls) =>
  evidenceOf(
    sums.reduce((total, { count }) => total + count, 0),
    rows.length,
    cut,
  );
