import { type ConfigObject, formatKey, keyOf } from "../../../config/object.ts";
import type { ConfigChange } from "../../../config/store.ts";
import { type ConfigWarning, type Told, told } from "../../../contract/index.ts";
import { isDelegate } from "../../../model/virtual-service.ts";
import { missingDelegates } from "./delegates.ts";
import { deadDestinations } from "./destinations.ts";
import type { Facts } from "./facts.ts";
import { missingGateways } from "./gateways.ts";
import { type Finding, warningAt } from "./warning.ts";

/** Kinds that VirtualServices lean on. */
const leanedOn = new Set(["DestinationRule", "Service", "ServiceEntry", "WorkloadEntry", "Gateway", "Namespace"]);

/** Whether others may miss what it changes. */
export const takesAway = ({ type, key }: ConfigChange): boolean => type !== "ADDED" && leanedOn.has(key.kind);

/** Whether those that delegate to it may miss rules. */
export const takesRules = ({ type, key, before }: ConfigChange): boolean =>
  type !== "ADDED" && key.kind === "VirtualService" && before !== undefined && isDelegate(before);

/**
 * What a change takes from VirtualServices that stay as they are: a subset that a route needs, a host, a gateway, a delegate. Found by what is
 * dead after it and was not before.
 */
export function* bereaved(changes: readonly ConfigChange[], before: Facts, after: Facts): Generator<ConfigWarning> {
  const cause = changes.find((change) => takesAway(change) || takesRules(change));
  if (cause === undefined) return;
  const written = new Set(changes.map(({ key }) => formatKey(key)));
  for (const route of after.objects("VirtualService")) {
    if (written.has(formatKey(keyOf(route)))) continue; // it is told by itself
    const known = new Set(findings(route, before).map(textOf));
    for (const finding of findings(route, after)) {
      if (known.has(textOf(finding))) continue;
      yield warningAt(cause.key, { path: "", ...toldOf(route, finding) });
    }
  }
}

/** By a word of its own: in English all that is found beside it, elsewhere what comes of it. */
function toldOf({ metadata }: ConfigObject, { path, message, reason = "" }: Finding): Told {
  const isSilent = /-(egress|idle|mirror)$/.test(reason) || reason.startsWith("delegate-");
  const word = isSilent ? "bereaved" : path.startsWith("spec.gateways") ? "gateway-bereaved" : "route-bereaved";
  const who = { object: `${metadata.namespace}/${metadata.name}`, path };
  return { ...told(word, who), message: `${told("bereaved", who).message}: ${message}` };
}

const findings = (route: ConfigObject, facts: Facts): Finding[] => [
  ...deadDestinations(route, facts),
  ...missingGateways(route, facts),
  ...missingDelegates(route, facts),
];

const textOf = ({ path, message }: Finding): string => `${path}\n${message}`;
