import type { VirtualServiceSpec } from "../../../config/kinds/index.ts";
import type { ConfigObject } from "../../../config/object.ts";
import { told } from "../../../contract/index.ts";
import { suggest } from "../../../lib/suggest.ts";
import { delegatedRule, voidMatches } from "../../../model/delegated-rules.ts";
import { delegateKey, isDelegate, notDelegable, resolvedVirtualService } from "../../../model/virtual-service.ts";
import type { Facts } from "./facts.ts";
import type { Finding } from "./warning.ts";

/**
 * What of a delegation comes to nothing. Told to whoever writes the root and to whoever writes the delegate, each at its own line: in a mesh these are
 * seldom the same people. https://istio.io/latest/docs/reference/config/networking/virtual-service/#Delegate
 */
export function* doubtfulDelegates(object: ConfigObject, facts: Facts): Generator<Finding> {
  if (isDelegate(object)) yield* doubtfulRoots(object, facts);
  else {
    yield* missingDelegates(object, facts);
    yield* voidRules(object, facts);
  }
}

const httpOf = ({ spec }: ConfigObject) => (spec as unknown as VirtualServiceSpec).http ?? [];
const nameOf = ({ metadata: { namespace, name } }: ConfigObject) => `${namespace}/${name}`;

/** Rules of a root that lead nowhere, as nobody is there to take over. */
export function* missingDelegates(object: ConfigObject, facts: Facts): Generator<Finding> {
  const { namespace } = object.metadata;
  for (const [index, { delegate }] of httpOf(object).entries()) {
    if (delegate === undefined) continue;
    const key = delegateKey(delegate, namespace);
    const path = `spec.http[${index}].delegate`;
    switch (notDelegable(facts.delegate(key), namespace)) {
      case "missing": {
        const near = suggest(key, delegatesIn(facts));
        yield {
          path,
          ...(near ? told("delegate-missing-near", { object: key, near }) : told("delegate-missing", { object: key })),
        };
        break;
      }
      case "hosts":
        yield { path, ...told("delegate-hosts", { object: key }) };
        break;
      case "unexported":
        yield { path, ...told("delegate-unexported", { object: key, namespace }) };
        break;
      case undefined:
        break;
    }
  }
}

const maxCandidates = 1_000;

const delegatesIn = (facts: Facts): string[] =>
  [...facts.objects("VirtualService")].filter(isDelegate).slice(0, maxCandidates).map(nameOf);

/** Delegates' rules that contradict the root's matches, and answers of the root's that leave delegates nothing to do. */
function* voidRules(object: ConfigObject, facts: Facts): Generator<Finding> {
  for (const { root, place, delegate, own, index } of pairsOf(object, facts)) {
    if (delegatedRule(root, own) === undefined) {
      const rule = `http[${index}]`;
      yield { path: `spec.http[${place}].match`, ...told("delegate-contradicted", { object: nameOf(delegate), rule }) };
    }
  }
  for (const [index, { delegate, directResponse }] of httpOf(object).entries()) {
    if (delegate && directResponse)
      yield { path: `spec.http[${index}].directResponse`, ...told("delegate-answered", {}) };
  }
}

/** What a delegate's author can't see there: that nobody hands over to it, may not, or asks for something else. */
function* doubtfulRoots(object: ConfigObject, facts: Facts): Generator<Finding> {
  const roots = facts.rootsOf(object);
  if (roots.length === 0) yield { path: "spec", ...told("delegate-of-nobody", {}) };
  for (const root of roots) {
    const { namespace } = root.metadata;
    if (notDelegable(object, namespace) === "unexported") {
      yield { path: "spec.exportTo", ...told("delegate-unseen", { object: nameOf(root), namespace }) };
      continue;
    }
    for (const { root: outer, place, delegate, own, index } of pairsOf(root, facts)) {
      if (nameOf(delegate) !== nameOf(object)) continue;
      const rule = `http[${place}]`;
      for (const match of voidMatches(outer, own))
        yield {
          path: `spec.http[${index}].match[${match}]`,
          ...told("match-contradicts", { object: nameOf(root), rule }),
        };
    }
  }
}

/** Each rule of a root's delegates with the root's that hands over to it, names as the model has them. */
function* pairsOf(object: ConfigObject, facts: Facts) {
  const { domain } = facts.mesh.options;
  const { namespace } = object.metadata;
  for (const [place, root] of resolvedVirtualService(object, domain).http.entries()) {
    if (root.delegate === undefined) continue;
    const delegate = facts.delegate(delegateKey(root.delegate, namespace));
    if (delegate === undefined || notDelegable(delegate, namespace) !== undefined) continue;
    for (const [index, own] of resolvedVirtualService(delegate, domain).http.entries())
      yield { root, place, delegate, own, index };
  }
}
