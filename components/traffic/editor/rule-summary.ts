import { useTranslations } from "use-intl";
import { conditionsOf, type MatchParts } from "../../../server/contract/index.ts";
import { conditionsText } from "../conditions-text.ts";
import { destinationName, readDestinations } from "./rule/destination-weights.ts";
import type { Rule } from "./rule-list.ts";

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What a rule is for and what it does, in a line. Whatever is written: half a rule, too. */
export function useRuleSummary(rule: Rule): { conditions: string; target: string } {
  const t = useTranslations("form");
  const condition = useTranslations("condition");
  const matches = (Array.isArray(rule.match) ? rule.match : []).filter(isRecord);
  const names = matches.flatMap(({ sniHosts }) => (Array.isArray(sniHosts) ? sniHosts.map(String) : []));
  return {
    conditions:
      names.length > 0 ? names.join(", ") : conditionsText(matches.map(readable).map(conditionsOf), condition),
    target: targetText(rule, t),
  };
}

/** Only what has the shape that conditions are told of. */
function readable(match: Record<string, unknown>): MatchParts {
  const text = (value: unknown) => (isRecord(value) ? value : undefined);
  const texts = (value: unknown) =>
    isRecord(value)
      ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, text(one) ?? {}]))
      : undefined;
  return {
    uri: text(match.uri),
    scheme: text(match.scheme),
    method: text(match.method),
    authority: text(match.authority),
    headers: texts(match.headers),
    withoutHeaders: texts(match.withoutHeaders),
    queryParams: texts(match.queryParams),
    ignoreUriCase: match.ignoreUriCase === true,
    port: typeof match.port === "number" ? match.port : undefined,
    sourceLabels: isRecord(match.sourceLabels)
      ? Object.fromEntries(Object.entries(match.sourceLabels).map(([name, value]) => [name, String(value)]))
      : undefined,
    sourceNamespace: typeof match.sourceNamespace === "string" ? match.sourceNamespace : undefined,
    gateways: Array.isArray(match.gateways) ? match.gateways.map(String) : undefined,
  };
}

function targetText(rule: Rule, t: ReturnType<typeof useTranslations<"form">>): string {
  const name = typeof rule.name === "string" && rule.name !== "" ? ` · ${rule.name}` : "";
  if (isRecord(rule.delegate)) {
    const { namespace, name: delegate } = rule.delegate;
    return t("delegates", { object: [namespace, delegate].filter(Boolean).join("/") }) + name;
  }
  if (isRecord(rule.directResponse)) return t("answers", { status: String(rule.directResponse.status ?? "") }) + name;
  if (isRecord(rule.redirect)) {
    const { authority, uri, prefixRewrite } = rule.redirect;
    return t("redirects", { to: [authority, uri ?? prefixRewrite].filter(Boolean).join("") }) + name;
  }
  const destinations = readDestinations(rule.route);
  if (destinations.length === 0) return t("goes-nowhere") + name;
  const shares = destinations.map((destination) => {
    const said = destinationName(destination, destinations);
    return destinations.length === 1 ? said : `${said} ${destination.weight ?? 0}`;
  });
  return shares.join(" / ") + name;
}
