import type { AdvisedPolicy, AdvisedRule, Evidence, LeftOut } from "../contract/index.ts";
import { writeYaml } from "../lib/yaml/write-yaml.ts";
import { generalisePaths, isExpressible } from "./generalise.ts";
import { type RecordedCall, sampleOf, spanOf } from "./recorded-call.ts";

export interface ProposalTarget {
  readonly namespace: string;
  /** Of the application or the workload. */
  readonly name: string;
  readonly selector: Readonly<Record<string, string>>;
}

export interface ProposalOptions {
  /** Paths of one caller, port and method; past it `tails` counts. */
  readonly mostPaths?: number;
  /** Whether `{**}` may stand for an end. */
  readonly tails?: boolean;
  /** Which requests of every proxy are probes, and are let in besides. */
  readonly probes?: { readonly principal: string; readonly at: readonly { port: number; path: string }[] } | undefined;
}

export type Proposal = Omit<AdvisedPolicy, "evidence">;

/** The least policy of action ALLOW that lets in what was recorded; whoever can't be named by a certificate is listed instead. */
export function proposePolicy(
  target: ProposalTarget,
  calls: readonly RecordedCall[],
  options: ProposalOptions = {},
): Proposal {
  const left: { reason: LeftOut["reason"]; call: RecordedCall }[] = [];
  const taken: RecordedCall[] = [];
  for (const call of calls) {
    const reason = whyNot(call);
    if (reason !== undefined) left.push({ reason, call });
    else taken.push(call);
  }
  const named = Map.groupBy(taken, ({ identity = "" }) => identity);
  for (const [identity, own] of named) {
    if (!own.every(({ code }) => code >= 400 && code < 500)) continue;
    named.delete(identity);
    left.push(...own.map((call) => ({ reason: "client-errors" as const, call })));
  }
  const rules = [
    ...mergeAlike([...named].map(([identity, own]) => ruleOf(identity, own, options))),
    ...probeRules(options.probes),
  ];
  const name = `${target.name}-from-traffic`;
  const policy = { namespace: target.namespace, name, selector: { ...target.selector }, rules };
  const yaml = writeYaml(policyObject(policy));
  return { ...policy, yaml, leftOut: summarise(left) };
}

/** A reason to leave a call out; undefined: its caller has a name. */
function whyNot(call: RecordedCall): LeftOut["reason"] | undefined {
  if (call.refused) return "refused";
  if (!call.mtls) return "plain-text";
  if (call.identity === undefined) return "identity-unknown";
  const isTold = call.protocol === "tcp" || (call.method !== "" && call.path.startsWith("/"));
  if (call.port === undefined || !isTold) return "facts-missing";
  return isExpressible(call.path) ? undefined : "not-matched";
}

function ruleOf(identity: string, calls: readonly RecordedCall[], options: ProposalOptions): AdvisedRule {
  const made: Operations[] = [...Map.groupBy(calls, ({ port = 0 }) => port)]
    .sort(([a], [b]) => a - b)
    .map(([port, own]) => operationsAt(port, own, options));
  return {
    principals: [identity.replace(/^spiffe:\/\//, "")],
    operations: made.flatMap(({ operations }) => operations),
    generalised: mergeTemplates(made.flatMap(({ generalised }) => generalised)),
    probes: false,
    asSeen: new Set(made.flatMap(({ operations }) => operations.flatMap(({ paths }) => paths.filter(isExpressible))))
      .size,
    calls: calls.length,
    ...spanOf(calls),
    samples: samplesOf(calls),
  };
}

/** Without it a policy would have its workloads taken for ill. */
function probeRules(probes: ProposalOptions["probes"]): AdvisedRule[] {
  const paths = Map.groupBy(
    (probes?.at ?? []).filter(({ path }) => isExpressible(path)),
    ({ port }) => port,
  );
  if (probes === undefined || paths.size === 0) return [];
  const operations = [...paths]
    .sort(([a], [b]) => a - b)
    .map(([port, all]) => ({ port, methods: ["GET"], paths: [...new Set(all.map(({ path }) => path))].sort() }));
  const nothing = { generalised: [], asSeen: 0, calls: 0, firstAt: 0, lastAt: 0, samples: [] };
  return [{ principals: [probes.principal], operations, probes: true, ...nothing }];
}

type Operations = Pick<AdvisedRule, "operations" | "generalised">;

/** Paths that are called by the same methods stand together; each method's are generalised by themselves: who read many may not delete them. */
function operationsAt(
  port: number,
  calls: readonly RecordedCall[],
  { mostPaths: most = 20, tails = false }: ProposalOptions,
): Operations {
  if (calls.some(({ protocol }) => protocol === "tcp")) {
    return { operations: [{ port, methods: [], paths: [] }], generalised: [] };
  }
  const methods = new Map<string, Set<string>>();
  const generalised: AdvisedRule["generalised"] = [];
  for (const [method, own] of Map.groupBy(calls, (call) => call.method)) {
    const { byPath } = generalisePaths(
      own.map(({ path }) => path),
      { most, tails },
    );
    for (const [template, paths] of Map.groupBy(byPath.keys(), (path) => byPath.get(path) ?? path)) {
      methods.set(template, (methods.get(template) ?? new Set()).add(method));
      const [example = ""] = paths;
      if (template !== example) generalised.push({ template, paths: paths.length, example });
    }
  }
  const alike = Map.groupBy(methods, ([, own]) => [...own].sort().join(" "));
  const operations = [...alike]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, all]) => ({ port, methods: key.split(" "), paths: all.map(([path]) => path).sort() }));
  return { operations, generalised };
}

/** Of one template, the most that it stands for anywhere. */
function mergeTemplates(all: AdvisedRule["generalised"]): AdvisedRule["generalised"] {
  const known = new Map<string, AdvisedRule["generalised"][number]>();
  for (const one of all) if (one.paths > (known.get(one.template)?.paths ?? 0)) known.set(one.template, one);
  return [...known.values()];
}

/** The newest of each outcome and path first, five at the most. */
function samplesOf(calls: readonly RecordedCall[]) {
  const newest = new Map<string, RecordedCall>();
  for (const call of calls) {
    const key = `${call.method} ${call.path} ${call.code}`;
    if ((newest.get(key)?.atMs ?? 0) < call.atMs) newest.set(key, call);
  }
  return [...newest.values()]
    .sort((a, b) => b.atMs - a.atMs)
    .slice(0, 5)
    .map(sampleOf);
}

/** Callers that need the same are one rule. */
function mergeAlike(rules: readonly AdvisedRule[]): AdvisedRule[] {
  return [...Map.groupBy(rules, ({ operations }) => JSON.stringify(operations)).values()].flatMap((alike) => {
    const [first] = alike;
    if (first === undefined) return [];
    return [
      {
        ...first,
        principals: alike.flatMap(({ principals }) => principals).sort(),
        generalised: mergeTemplates(alike.flatMap((it) => it.generalised)),
        calls: alike.reduce((sum, { calls }) => sum + calls, 0),
        firstAt: Math.min(...alike.map(({ firstAt }) => firstAt)),
        lastAt: Math.max(...alike.map(({ lastAt }) => lastAt)),
        samples: alike
          .flatMap(({ samples }) => samples)
          .sort((a, b) => b.at - a.at)
          .slice(0, 5),
      },
    ];
  });
}

/** As an object of the config, for those who judge by it. */
export const policyObject = ({
  namespace,
  name,
  selector,
  rules,
}: Pick<Proposal, "namespace" | "name" | "selector" | "rules">) => ({
  apiVersion: "security.istio.io/v1",
  kind: "AuthorizationPolicy",
  metadata: { name, namespace },
  spec: {
    ...(Object.keys(selector).length > 0 && { selector: { matchLabels: selector } }),
    action: "ALLOW",
    ...(rules.length > 0 && {
      rules: rules.map(({ principals, operations }) => ({
        from: [{ source: { principals } }],
        to: operations.map(({ port, methods, paths }) => ({
          operation: {
            ports: [String(port)],
            ...(methods.length > 0 && { methods }),
            ...(paths.length > 0 && { paths }),
          },
        })),
      })),
    }),
  },
});

/** By reason and caller. */
export function summarise(left: readonly { reason: LeftOut["reason"]; call: RecordedCall }[]): LeftOut[] {
  return [...Map.groupBy(left, ({ reason, call }) => `${reason} ${call.caller}`).values()].flatMap((own) => {
    const [first] = own;
    if (!first) return [];
    const newest = own.reduce((a, b) => (b.call.atMs > a.call.atMs ? b : a), first);
    return [
      {
        reason: first.reason,
        caller: first.call.caller,
        calls: own.length,
        ...spanOf(own.map(({ call }) => call)),
        sample: sampleOf(newest.call),
      },
    ];
  });
}

/** `calls`: as counted. */
export const evidenceOf = (calls: number, lines: number, cut: boolean): Evidence => ({
  calls,
  lines,
  complete: !cut && lines >= calls,
  cut,
});
