"use client";
import { useTranslations } from "use-intl";
import type { Path } from "../../../config/document/yaml-edit.ts";
import styles from "../fields/fields.module.css";
import { OtherFields } from "../fields/other-fields.tsx";
import { RouteDestinations } from "./route-destinations.tsx";
import { RuleMatches } from "./rule-matches.tsx";

/** Everything that one rule of connections (tcp, or tls that is passed through) can say: which, and where they go. */
export function ConnectionRuleBody({ path, number }: { path: Path; number: number }) {
  const t = useTranslations("form");
  return (
    <>
      <RuleMatches path={path} />
      <fieldset className={styles.section}>
        <legend>{t("action-route")}</legend>
        <RouteDestinations path={path} number={number} />
      </fieldset>
      <OtherFields path={path} known={["match", "route"]} />
    </>
  );
}
