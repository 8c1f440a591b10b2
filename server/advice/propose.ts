import { stringify } from "yaml";
import type { AdvisedOperation, AdvisedPolicy, AdvisedRule, Evidence, LeftOut } from "../contract/index.ts";
import { generalisePaths, isExpressible } from "./generalise.ts";
import { type RecordedCall, sampleOf, spanOf } from "./recorded-call.ts";

export interface ProposalTarget {
  readonly namespace: string;
  /** Of the application or the workload. */
  readonly name: string;
  readonly selector: Readonly<Record<string, string>>;
}

export interface ProposalOptions {
  /** Paths of one caller at one port. */
  readonly mostPaths?: number;
  /** Whether `{**}` may stand for an end. */
  readonly tails?: boolean;
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
  const rules = mergeAlike([...named].map(([identity, own]) => ruleOf(identity, own, options)));
  const name = `${target.name}-from-traffic`;
  const policy = { namespace: target.namespace, name, selector: { ...target.selector }, rules };
  const yaml = stringify(policyObject(policy), { lineWidth: 0, aliasDuplicateObjects: false });
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
  const generalised = new Map<string, { paths: Set<string>; example: string }>();
  const operations = [...Map.groupBy(calls, ({ port = 0 }) => port)]
    .sort(([a], [b]) => a - b)
    .flatMap(([port, own]): AdvisedOperation[] => {
      if (own.some(({ protocol }) => protocol === "tcp")) return [{ port, methods: [], paths: [] }];
      const { byPath } = generalisePaths(
        own.map(({ path }) => path),
        { most: options.mostPaths ?? 20, tails: options.tails ?? false },
      );
      for (const [path, template] of byPath) {
        if (path === template) continue;
        const seen = generalised.get(template) ?? { paths: new Set(), example: path };
        seen.paths.add(path);
        generalised.set(template, seen);
      }
      return operationsAt(port, own, byPath);
    });
  return {
    principals: [identity.replace(/^spiffe:\/\//, "")],
    operations,
    generalised: [...generalised].map(([template, { paths, example }]) => ({ template, paths: paths.size, example })),
    calls: calls.length,
    ...spanOf(calls),
    samples: samplesOf(calls),
  };
}

/** Paths that are called by the same methods stand together. */
function operationsAt(
  port: number,
  calls: readonly RecordedCall[],
  byPath: ReadonlyMap<string, string>,
): AdvisedOperation[] {
  const methods = new Map<string, Set<string>>();
  for (const { path, method } of calls) {
    const template = byPath.get(path) ?? path;
    methods.set(template, (methods.get(template) ?? new Set()).add(method));
  }
  const alike = Map.groupBy(methods, ([, own]) => [...own].sort().join(" "));
  return [...alike]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, all]) => ({ port, methods: key.split(" "), paths: all.map(([path]) => path).sort() }));
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
        generalised: [...new Map(alike.flatMap((it) => it.generalised).map((it) => [it.template, it])).values()],
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
