import { isIP } from "node:net";
import { type Told, told } from "../../contract/told.ts";

// Istio's DNS label takes capital letters, unlike Kubernetes'. https://istio.io/latest/docs/reference/config/networking/virtual-service/
const dnsLabel = /^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$/;
const wildcardLabel = /^(?:\*|(?:\*|\*-)?[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?)$/;

export const isDnsLabel = (name: string): boolean => name.length <= 63 && dnsLabel.test(name);

export const dnsLabelError = (name: string): Told | undefined =>
  isDnsLabel(name) ? undefined : told("dns-label", { value: JSON.stringify(name) });

/** RFC 1123 labels joined by dots; the last may be empty (`istio.io.`) but not all digits. */
export function fqdnError(name: string): Told | undefined {
  if (name.length === 0) return told("not-empty", {});
  if (name.length > 255) return told("max-characters", { count: 255 });
  const labels = name.split(".");
  if (/^\d+$/.test(labels.at(-1) ?? "")) return told("domain-digits", { name: JSON.stringify(name) });
  const bad = labels.find(
    (label, index) => !isDnsLabel(label) && !(label === "" && index > 0 && index === labels.length - 1),
  );
  return bad === undefined
    ? undefined
    : told("domain-label", { label: JSON.stringify(bad), name: JSON.stringify(name) });
}

/** As `fqdnError`, and the first label may be `*` or begin with `*` or `*-`. */
export function wildcardHostError(name: string): Told | undefined {
  if (name.length === 0) return told("not-empty", {});
  const dot = name.indexOf(".");
  const first = dot < 0 ? name : name.slice(0, dot);
  if (!first.includes("*")) return fqdnError(name);
  if (first.length > 63 || !wildcardLabel.test(first)) {
    return told("domain-star", {});
  }
  return dot < 0 ? undefined : fqdnError(name.slice(dot + 1));
}

/**
 * What a client may ask for by SNI, and a host that gateways know: as `wildcardHostError`, but labels may have underscores, as in Istio's names for
 * other clusters (`outbound_.80_._.reviews.default.svc.cluster.local`), and it may be an IP address.
 */
export function sniHostError(name: string): Told | undefined {
  return isIpAddress(name) ? undefined : wildcardHostError(name.replaceAll(/_/g, "x"));
}

/** Hosts, some with wildcards, by which others are looked up in time that doesn't grow with their number. */
export class HostSet {
  readonly #first = new Map<string, number>();
  readonly #suffixes = new Map<string, number>();
  readonly #lengths = new Set<number>();

  constructor(hosts: readonly string[]) {
    for (const [index, host] of hosts.entries()) {
      if (!this.#first.has(host)) this.#first.set(host, index);
      if (!host.startsWith("*") || this.#suffixes.has(host.slice(1))) continue;
      this.#suffixes.set(host.slice(1), index);
      this.#lengths.add(host.length - 1);
    }
  }

  /** The place of a host that is the same, or else of one that covers it; one that is `except` itself doesn't count. */
  find(host: string, except = -1): number | undefined {
    const same = this.#first.get(host);
    if (same !== undefined && same !== except) return same;
    for (const length of this.#lengths) {
      if (length >= host.length) continue;
      const index = this.#suffixes.get(host.slice(host.length - length));
      if (index !== undefined && index !== except && index !== same) return index;
    }
    return undefined;
  }
}

/** Without an IPv6 zone: it means something on one machine only. */
export const isIpAddress = (text: string): boolean => isIP(text) !== 0 && !text.includes("%");

export function ipOrCidrError(text: string): Told | undefined {
  const [address = "", bits, extra] = text.split("/");
  const good =
    extra === undefined &&
    isIpAddress(address) &&
    (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (address.includes(":") ? 128 : 32)));
  return good ? undefined : told("ip-or-cidr", { value: JSON.stringify(text) });
}

const qualifiedName = /^(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
export function qualifiedKeyError(key: string): Told | undefined {
  const slash = key.indexOf("/");
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  const name = key.slice(slash + 1);
  if (prefix !== undefined && (prefix.length > 253 || fqdnError(prefix) !== undefined || prefix.endsWith("."))) {
    return told("key-prefix", { prefix: JSON.stringify(prefix) });
  }
  return name.length <= 63 && qualifiedName.test(name) ? undefined : told("key-name", {});
}

export const labelValueError = (value: string): Told | undefined =>
  value === "" || (value.length <= 63 && qualifiedName.test(value)) ? undefined : told("label-value", {});
