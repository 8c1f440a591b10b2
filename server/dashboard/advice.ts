import { z } from "zod";
import { createChecker, inForce, type PolicyChecker } from "../advice/check.ts";
import { createJudge } from "../advice/judge.ts";
import { evidenceOf, type ProposalTarget, policyObject, proposePolicy, summarise } from "../advice/propose.ts";
import { type RecordedCall, recordedCall } from "../advice/recorded-call.ts";
import { scopeHosts, sidecarObject, sizeOf, yamlOf } from "../advice/scope.ts";
import { type AdvisedWorkload, advisedWorkloads, identitiesOf } from "../advice/workload-proxy.ts";
import { authorizationPolicy } from "../config/kinds/authorization-policy.ts";
import { type ConfigObject, formatKey, keyOf } from "../config/object.ts";
import type { ConfigChange } from "../config/store.ts";
import {
  type AdvisedPolicy,
  DashboardError,
  type Evidence,
  type LeftOut,
  type PolicyAdvice,
  type PolicyCheck,
  type PolicyCheckRequest,
  type ProxyList,
  type ScopeAdvice,
  told,
  type WorkloadViews,
} from "../contract/index.ts";
import { Recent } from "../lib/recent.ts";
import { indexAuthorizationPolicies } from "../model/authorization-policies.ts";
import { matchesLabels } from "../model/labels.ts";
import { buildMesh, type Mesh, updateMesh } from "../model/mesh.ts";
import { meshOf } from "../model/mesh-of.ts";
import type { Queries } from "../query/queries.ts";
import type { EdgeRow, RollupSum } from "../query/reader.ts";
import type { RecordedCalls } from "../query/recorded-calls.ts";
import { longestWindowSec } from "./metrics.ts";
import { invalid, parse } from "./parse.ts";
import { readDocuments } from "./read-documents.ts";

export interface Advice {
  /** The least policy for what was recorded. `query` as in contract/advice.ts. Rejects with NOT_FOUND where nobody is called so. */
  policyAdvice(query: Readonly<Record<string, string>>): Promise<PolicyAdvice>;
  /** What policies would have refused. Rejects with INVALID where they are none. */
  checkPolicy(request: PolicyCheckRequest): Promise<PolicyCheck>;
  /** The least Sidecar. */
  scopeAdvice(query: Readonly<Record<string, string>>): Promise<ScopeAdvice>;
}

export interface AdviceSource {
  queries(): Promise<Pick<Queries, "recordedCalls" | "edgeCounts">>;
  workloads(): Promise<WorkloadViews>;
  proxies(): Promise<Pick<ProxyList, "proxies">>;
  /** All of the mesh. */
  objects(): Promise<ConfigObject[]>;
}

const name = z.string().min(1).max(253);
const Query = z.object({
  namespace: name,
  /** Of a workload, or of an application with all its versions; left out: all of the namespace. */
  workload: name.optional(),
  window: z.coerce
    .number()
    .int()
    .min(1)
    .max(longestWindowSec)
    .default(6 * 3600),
  at: z.coerce.number().int().min(0).optional(),
  tails: z
    .enum(["true", "false"])
    .default("false")
    .transform((value) => value === "true"),
});

interface Known {
  mesh: Mesh;
  objects: ConfigObject[];
  workloads: AdvisedWorkload[];
  identities: ReadonlyMap<string, string>;
}

export function createAdvice(source: AdviceSource): Advice {
  /** The same for as long as no object is another: all that is derived of it is kept. */
  let mesh = buildMesh([], 0);
  const checkerOf = rememberedCheckers();
  const known = async (): Promise<Known> => {
    const [views, { proxies }, objects] = await Promise.all([source.workloads(), source.proxies(), source.objects()]);
    mesh = meshOf(mesh, objects, 0);
    const identities = identitiesOf(views.workloads, proxies, mesh.options.trustDomain);
    return { mesh, objects, identities, workloads: advisedWorkloads(views.workloads, proxies) };
  };
  const recorded = async (range: { window: number; at?: number | undefined }, meant: readonly AdvisedWorkload[]) => {
    const names = new Set(meant.map(({ namespace, name }) => `${namespace}/${name}`));
    const isMeant = ({ destination }: EdgeRow) => names.has(`${destination.namespace}/${destination.workload}`);
    return (await source.queries()).recordedCalls({ ...range, destinations: isMeant });
  };
  return {
    async policyAdvice(query) {
      const { namespace, workload, tails, ...range } = parse(Query, query);
      const all = await known();
      const meant = meantBy(all.workloads, namespace, workload);
      const found = await recorded(range, meant);
      const calls = found.rows.map((row) => recordedCall(row, all.identities));
      const policies = targetsOf(meant, workload).map(({ target, of }) => {
        const own = calls.filter((call) => of.some((it) => isAt(call, it)));
        return advise(all, target, of, own, found, tails);
      });
      return {
        fromMs: found.fromMs,
        toMs: found.toMs,
        policies: policies.filter(({ evidence }) => evidence.calls > 0),
      };
    },
    async checkPolicy({ yaml, ...range }) {
      const [asked, all] = await Promise.all([readDocuments(yaml), known()]);
      const policies = asked.filter(({ kind }) => kind === authorizationPolicy.kind);
      if (policies.length === 0 || policies.length < asked.length)
        throw invalid("yaml: must have AuthorizationPolicies alone, and one at least", [
          { path: "yaml", ...told("asked-policies", {}) },
        ]);
      const meant = concernedBy(all, policies);
      const check = checkerOf(yaml, all, policies, meant);
      const found = await recorded(range, meant);
      const calls = found.rows.map((row) => recordedCall(row, all.identities));
      const { fromMs, toMs } = found;
      return { fromMs, toMs, evidence: evidence(found, found.sums, calls), ...check(calls) };
    },
    async scopeAdvice(query) {
      const { namespace, workload, ...range } = parse(Query, query);
      const all = await known();
      const meant = meantBy(all.workloads, namespace, workload);
      const names = new Set(meant.map((it) => it.name));
      const counts = await (await source.queries()).edgeCounts(range);
      const called = new Map<string, number>();
      for (const { edge, count } of counts.sums)
        if (edge.reporter === "source" && edge.source.namespace === namespace && names.has(edge.source.workload))
          called.set(edge.service, (called.get(edge.service) ?? 0) + count);
      const hosts = scopeHosts(
        all.mesh,
        [...called].map(([host, calls]) => ({ host, calls })),
      );
      const first = workload === undefined ? undefined : targetsOf(meant, workload)[0]?.target;
      const object = sidecarObject(
        first
          ? { namespace, name: `${workload}-from-traffic`, labels: first.selector }
          : { namespace, name: "default" },
        hosts,
      );
      const proxies = meant.filter(({ connected, isGateway }) => connected && !isGateway).map(({ proxy }) => proxy);
      const size = proxies.length > 0 && {
        proxies: proxies.length,
        before: sizeOf(all.mesh, proxies),
        after: sizeOf(meshWith(all, [object]), proxies),
      };
      const { fromMs, toMs } = counts;
      return {
        fromMs,
        toMs,
        namespace,
        workload: workload ?? null,
        yaml: yamlOf(object),
        ...hosts,
        size: size || null,
      };
    },
  };
}

const isAt = ({ destination }: RecordedCall, { namespace, name }: AdvisedWorkload): boolean =>
  destination.namespace === namespace && destination.workload === name;

export function meantBy(
  all: readonly AdvisedWorkload[],
  namespace: string,
  workload: string | undefined,
): AdvisedWorkload[] {
  const own = all.filter((it) => it.namespace === namespace);
  const named = own.filter((it) => workload === undefined || it.name === workload);
  const found = named.length > 0 ? named : own.filter(({ app }) => app === workload);
  if (found.length > 0) return found;
  throw new DashboardError({ code: "NOT_FOUND", ...told("no-workload", { name: workload ?? "*", namespace }) });
}

/** One policy for each application, by the label that its workloads share; for one workload, by all that tells it apart. */
export function targetsOf(
  meant: readonly AdvisedWorkload[],
  workload: string | undefined,
): { target: ProposalTarget; of: AdvisedWorkload[] }[] {
  const [only] = meant;
  if (only && meant.length === 1 && only.name === workload)
    return [{ target: { namespace: only.namespace, name: only.name, selector: telling(only.labels) }, of: [only] }];
  return [...Map.groupBy(meant, ({ app }) => app)].map(([app, of]) => {
    const label = appLabels.find((key) => of.every(({ labels }) => labels[key] === app));
    const { namespace = "" } = of[0] ?? {};
    return { target: { namespace, name: app, selector: label ? { [label]: app } : telling(of[0]?.labels ?? {}) }, of };
  });
}

const appLabels = ["app", "service.istio.io/canonical-name", "app.kubernetes.io/name"];
const ofVersions = [...appLabels, "version", "service.istio.io/canonical-revision", "app.kubernetes.io/version"];

function telling(labels: Readonly<Record<string, string>>): Record<string, string> {
  const own = Object.entries(labels).filter(([key]) => ofVersions.includes(key));
  return Object.fromEntries(own.length > 0 ? own : Object.entries(labels));
}

export function meshWith({ mesh }: Pick<Known, "mesh">, changed: readonly ConfigObject[]): Mesh {
  return updateMesh(mesh, changed.map(drafted), 0);
}

const drafted = (after: ConfigObject): ConfigChange => ({ type: "MODIFIED", key: keyOf(after), after });

const nameOf = (object: ConfigObject): string => formatKey(keyOf(object));

/** Whose calls policies may decide on: those that they are for, and those that what they replace is for. */
function concernedBy({ mesh, objects, workloads }: Known, policies: readonly ConfigObject[]): AdvisedWorkload[] {
  const names = new Set(policies.map(nameOf));
  const both = indexAuthorizationPolicies([...policies, ...objects.filter((it) => names.has(nameOf(it)))]);
  const attachments = [...both.values()].flat().map(({ attachment }) => attachment);
  const { rootNamespace } = mesh.options;
  return workloads.filter((it) =>
    attachments.some(
      ({ namespace, selector, targets }) =>
        (namespace === rootNamespace || namespace === it.namespace) &&
        // Targets name services and gateways; which workloads are theirs is found when they are judged.
        (targets.length > 0 || matchesLabels(selector, it.labels)),
    ),
  );
}

/** A page asks of the same text again and again as calls come. */
const mostCheckers = 8;

function rememberedCheckers() {
  const held = new Recent<{ of: readonly unknown[]; check: PolicyChecker }>(mostCheckers);
  return (yaml: string, all: Known, policies: readonly ConfigObject[], meant: readonly AdvisedWorkload[]) => {
    const of = [all.mesh, JSON.stringify(meant)];
    const known = held.get(yaml);
    if (known?.of.every((each, i) => each === of[i])) return known.check;
    const check = createChecker(all.mesh, meshWith(all, policies.map(inForce)), meant);
    held.set(yaml, { of, check });
    return check;
  };
}

const evidence = (found: RecordedCalls, sums: readonly RollupSum[], calls: readonly RecordedCall[]): Evidence =>
  evidenceOf(
    sums.reduce((sum, { count }) => sum + count, 0),
    calls.length,
    found.cut,
  );

/** What the policy itself would not let in, of that from which it was made, is said rather than claimed: the proxy's matcher has the last word. */
function advise(
  all: Known,
  target: ProposalTarget,
  of: readonly AdvisedWorkload[],
  calls: readonly RecordedCall[],
  found: RecordedCalls,
  tails: boolean,
): AdvisedPolicy {
  const proposal = proposePolicy(target, calls, { tails });
  const sums = found.sums.filter(({ edge }) => of.some(({ name }) => name === edge.destination.workload));
  const left = [...proposal.leftOut, ...notMatched(all, proposal, of, calls), ...withoutLines(sums, calls)];
  return { ...proposal, leftOut: left, evidence: evidence(found, sums, calls) };
}

function notMatched(
  all: Known,
  proposal: Pick<AdvisedPolicy, "namespace" | "name" | "selector" | "rules">,
  of: readonly AdvisedWorkload[],
  calls: readonly RecordedCall[],
): LeftOut[] {
  const object = policyObject(proposal);
  const others = all.objects.filter(({ kind }) => kind === authorizationPolicy.kind);
  const gone = others.map((it): ConfigChange => ({ type: "DELETED", key: keyOf(it) }));
  const mesh = updateMesh(all.mesh, [...gone, drafted(object)], 0);
  const judges = new Map(of.map((it) => [it.name, createJudge(mesh, it.proxy, new Set())]));
  const named = new Set(proposal.rules.flatMap(({ principals }) => principals.map((it) => `spiffe://${it}`)));
  const missed = calls.filter(
    (call) =>
      call.identity !== undefined &&
      named.has(call.identity) &&
      !call.refused &&
      call.port !== undefined &&
      judges.get(call.destination.workload)?.(call).kind === "refused",
  );
  return summarise(missed.map((call) => ({ reason: "not-matched", call })));
}

/** Callers that were counted, and of whom no line is kept. */
function withoutLines(sums: readonly RollupSum[], calls: readonly RecordedCall[]): LeftOut[] {
  const told = new Set(calls.map(({ caller }) => caller));
  const silent = Map.groupBy(
    sums.filter(({ edge: { source } }) => !told.has(`${source.namespace}/${source.workload}`)),
    ({ edge: { source } }) => (source.workload ? `${source.namespace}/${source.workload}` : ""),
  );
  return [...silent]
    .filter(([caller]) => !told.has(caller))
    .map(([caller, own]) => ({
      reason: "no-lines" as const,
      caller,
      calls: own.reduce((sum, { count }) => sum + count, 0),
      firstAt: null,
      lastAt: null,
      sample: null,
    }));
}
