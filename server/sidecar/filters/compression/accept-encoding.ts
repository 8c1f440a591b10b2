/** A coding that some filter of the chain can make. */
export interface Offer {
  readonly coding: string;
  /** Wins against others that the client likes as much. */
  readonly chooseFirst: boolean;
}

export interface Choice {
  /** "identity": none. */
  readonly coding: string;
  readonly why: "chosen" | "identity" | "wildcard" | "not_valid";
}

/**
 * What a client gets of the codings that are offered, by its `accept-encoding`: the best liked, and among equals the first it names.
 * RFC 9110, 12.5.3; https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/compressor_filter
 * @param offers in the order of the chain
 */
export function chooseCoding(accept: string, offers: readonly Offer[]): Choice {
  const asked = parse(accept);
  const refused = new Set(asked.filter(({ q }) => q === 0).map(({ coding }) => coding));
  const allowed = new Map<string, Offer>();
  for (const offer of offers) {
    if (!refused.has(offer.coding) && !allowed.has(offer.coding)) allowed.set(offer.coding, offer);
  }
  if (asked.length === 0 || allowed.size === 0) return notValid;
  let best = { coding: identity, q: 0 };
  for (const each of asked) {
    if (!allowed.has(each.coding) && each.coding !== identity && each.coding !== wildcard) continue;
    if (each.q > best.q || (each.q === best.q && allowed.get(each.coding)?.chooseFirst === true)) best = each;
  }
  if (best.q === 0) return notValid;
  if (best.coding === identity) return { coding: identity, why: "identity" };
  if (best.coding === wildcard) return { coding: allowed.keys().next().value ?? identity, why: "wildcard" };
  return { coding: best.coding, why: "chosen" };
}

const identity = "identity";
const wildcard = "*";
const notValid: Choice = { coding: identity, why: "not_valid" };

function parse(accept: string): { coding: string; q: number }[] {
  const parsed: { coding: string; q: number }[] = [];
  for (const token of accept.split(",")) {
    const semicolon = token.indexOf(";");
    const coding = (semicolon === -1 ? token : token.slice(0, semicolon)).trim();
    if (coding === "") continue;
    const weight = semicolon === -1 ? undefined : weightOf(token.slice(semicolon + 1));
    // One that cannot be read counts for nothing.
    if (weight === undefined || !Number.isNaN(weight)) parsed.push({ coding, q: weight ?? 1 });
  }
  return parsed;
}

/** Undefined: the parameter is no weight. NaN: it cannot be read. */
function weightOf(parameter: string): number | undefined {
  const equals = parameter.indexOf("=");
  if (equals === -1 || parameter.slice(0, equals).trim().toLowerCase() !== "q") return undefined;
  const value = parameter.slice(equals + 1).trim();
  return value === "" ? Number.NaN : Number(value);
}
