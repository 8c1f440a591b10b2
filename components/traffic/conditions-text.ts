import { useTranslations } from "use-intl";
import type { Condition, Conditions } from "../../server/contract/index.ts";

export type ConditionTranslator = ReturnType<typeof useTranslations<"condition">>;

/** What a rule or a fault is limited to. `matches`: the same in English, where there are no parts. */
export function useConditionsText(): (of: {
  conditions?: Conditions | undefined;
  matches: readonly string[];
}) => string {
  const t = useTranslations("condition");
  return ({ conditions, matches }) =>
    conditions ? conditionsText(conditions, t) : joined(matches, (first, rest) => t("or", { first, rest }));
}

export const conditionsText = (alternatives: Conditions, t: ConditionTranslator): string =>
  alternatives.length === 0
    ? t("every-request")
    : joined(
        alternatives.map((all) =>
          all.length === 0
            ? t("every-request")
            : joined(
                all.map((one) => conditionText(one, t)),
                (first, rest) => t("and", { first, rest }),
              ),
        ),
        (first, rest) => t("or", { first, rest }),
      );

function conditionText(one: Condition, t: ConditionTranslator): string {
  switch (one.about) {
    case "port":
      return t("port", { port: String(one.port) });
    case "gateways":
      return t("through", { gateways: joined(one.gateways, (first, rest) => t("or", { first, rest })) });
    case "caller": {
      const { namespace } = one;
      if (one.labels.length === 0) return t("from-namespace", { namespace });
      const labels = one.labels.join(", ");
      return namespace === "" ? t("from", { labels }) : t("from-in", { labels, namespace });
    }
    default: {
      const { about, name, op, value, not, anyCase } = one;
      const subject = t(`about-${about}`, { name });
      if (op === "present") return not ? t("absent", { subject }) : t("op-present", { subject });
      const what = t(`op-${op}`, { subject, value });
      const said = anyCase ? t("any-case", { what }) : what;
      return not ? t("not", { what: said }) : said;
    }
  }
}

const joined = (parts: readonly string[], join: (first: string, rest: string) => string): string =>
  parts.length === 0 ? "" : parts.reduceRight((rest, first) => join(first, rest));
