import type { ProxyConfigSpec, ServiceEntrySpec, ServiceSpec, WorkloadGroupSpec } from "../../../config/kinds/index.ts";
import type { ConfigObject } from "../../../config/object.ts";
import { told } from "../../../contract/index.ts";
import { type Labels, matchesLabels } from "../../../model/labels.ts";
import type { Facts } from "./facts.ts";
import type { Finding } from "./warning.ts";

/** A group whose workloads no service selects, or whose probe asks at a port that is none of theirs. */
export function* doubtfulGroup({ metadata, spec }: ConfigObject, facts: Facts): Generator<Finding> {
  const group = spec as unknown as WorkloadGroupSpec;
  const { template, probe } = group;
  const labels = { ...template.labels, ...group.metadata?.labels };
  const selectors = selectorsIn(facts, metadata.namespace);
  // A node may add labels of its own: what contradicts the group's is nobody's.
  const mayBe = (selector: Labels) =>
    Object.entries(selector).every(([key, value]) => (labels[key] ?? value) === value);
  if (!selectors.some((selector) => matchesLabels(selector, labels)) && !selectors.some(mayBe))
    yield { path: "spec.metadata.labels", ...told("group-unselected", { namespace: metadata.namespace }) };
  const [method] = (["httpGet", "tcpSocket", "grpc"] as const).filter((it) => probe?.[it] !== undefined);
  const port = method && probe?.[method]?.port;
  const known = Object.values(template.ports ?? {});
  if (method && port !== undefined && known.length > 0 && !known.includes(port)) {
    const ports = [...new Set(known)].join(", ");
    yield { path: `spec.probe.${method}.port`, ...told("probe-port", { port, ports }) };
  }
}

const selectorsIn = (facts: Facts, namespace: string): Labels[] =>
  [
    ...[...facts.objects("Service")].map((it) => [it, (it.spec as ServiceSpec).selector] as const),
    ...[...facts.objects("ServiceEntry")].map(
      (it) => [it, (it.spec as unknown as ServiceEntrySpec).workloadSelector?.labels] as const,
    ),
  ].flatMap(([object, selector]) =>
    object.metadata.namespace === namespace && selector && Object.keys(selector).length > 0 ? [selector] : [],
  );

/** What it has that means nothing to proxies that are no containers. */
export function* doubtfulProxyConfig({ spec }: ConfigObject): Generator<Finding> {
  const { image, selector } = spec as ProxyConfigSpec;
  if (image?.imageType) yield { path: "spec.image.imageType", ...told("image-type", {}) };
  if (selector && Object.keys(selector.matchLabels ?? {}).length === 0)
    yield { path: "spec.selector", ...told("selector-empty", {}) };
}
