"use client";
import { useTranslations } from "use-intl";
import { type Path, valueAt } from "../../../config/document/yaml-edit.ts";
import { ErrorsOf } from "../fields/errors-of.tsx";
import styles from "../fields/fields.module.css";
import { OtherFields } from "../fields/other-fields.tsx";
import { Section } from "../fields/section.tsx";
import { TextField } from "../fields/text-field.tsx";
import { useForm } from "../form-context.ts";
import { CorsPart } from "./cors-part.tsx";
import { FaultPart } from "./fault-part.tsx";
import { HeaderOperations } from "./header-operations.tsx";
import { ResilienceFields } from "./resilience-fields.tsx";
import { RewritePart } from "./rewrite-part.tsx";
import { actionOf, RuleAction } from "./rule-action.tsx";
import { RuleMatches } from "./rule-matches.tsx";
import { RuleMirrors } from "./rule-mirrors.tsx";

const known = [
  "name",
  "match",
  "route",
  "redirect",
  "directResponse",
  "delegate",
  "rewrite",
  "timeout",
  "retries",
  "fault",
  "mirror",
  "mirrorPercentage",
  "mirrors",
  "corsPolicy",
  "headers",
];

/** Everything that one http rule can say. `host`: where a new destination goes. */
export function RuleBody({ path, number, host }: { path: Path; number: number; host: string }) {
  const t = useTranslations("form");
  const { object } = useForm();
  const action = actionOf((valueAt(object, path) ?? {}) as Record<string, unknown>);
  // A delegate's rules take what they lack from here.
  const isRouted = action === "route" || action === "delegate";
  const at = (...names: string[]): Path[] => names.map((name) => [...path, name]);
  const id = (part: string) => `section-${part}-${path[2]}`;
  return (
    <>
      <ErrorsOf path={path} />
      <div className={styles.grid}>
        <TextField path={[...path, "name"]} label={t("rule-name")} placeholder={t("rule-name-none")} />
      </div>
      <RuleMatches path={path} />
      <RuleAction path={path} number={number} host={host} />
      {isRouted && (
        <>
          <Section title={t("resilience")} paths={at("timeout", "retries")} testId={id("resilience")}>
            <ResilienceFields path={path} />
          </Section>
          <Section title={t("mirrors")} paths={at("mirror", "mirrors")} testId={id("mirrors")}>
            <RuleMirrors path={path} host={host} />
          </Section>
          <Section title={t("rewrite")} paths={at("rewrite")} testId={id("rewrite")}>
            <RewritePart path={path} />
          </Section>
          <Section title={t("fault")} paths={at("fault")} testId={id("fault")}>
            <FaultPart path={path} />
          </Section>
        </>
      )}
      <Section title={t("headers")} paths={at("headers")} testId={id("headers")}>
        <HeaderOperations path={[...path, "headers"]} />
      </Section>
      <Section title={t("cors")} paths={at("corsPolicy")} testId={id("cors")}>
        <CorsPart path={path} />
      </Section>
      <OtherFields path={path} known={known} />
    </>
  );
}
