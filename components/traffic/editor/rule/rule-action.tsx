"use client";
import { SegmentedControl } from "@mantine/core";
import { useTranslations } from "use-intl";
import { type Path, valueAt, type YamlEdit } from "../../../config/document/yaml-edit.ts";
import { ErrorsOf } from "../fields/errors-of.tsx";
import styles from "../fields/fields.module.css";
import { useForm } from "../form-context.ts";
import { DelegatePart } from "./delegate-part.tsx";
import { DirectResponsePart } from "./direct-response-part.tsx";
import { RedirectPart } from "./redirect-part.tsx";
import { RouteDestinations } from "./route-destinations.tsx";

const actions = ["route", "redirect", "directResponse", "delegate"] as const;
export type RuleAction = (typeof actions)[number];

/** A delegate first: what stands beside it is its rules' too. */
export const actionOf = (rule: Readonly<Record<string, unknown>>): RuleAction =>
  actions.findLast((one) => one !== "route" && rule[one] !== undefined) ?? "route";

/** What can't stand beside a redirect or an answer of the proxy's own. */
const onlyRouted = ["route", "rewrite", "fault", "mirrors", "mirror", "mirrorPercentage"];

/** What is done with a rule's requests: sent on, sent elsewhere by the client, answered, or left to another VirtualService. */
export function RuleAction({ path, number, host }: { path: Path; number: number; host: string }) {
  const t = useTranslations("form");
  const { object, edit, disabled } = useForm();
  const action = actionOf((valueAt(object, path) ?? {}) as Record<string, unknown>);
  const beginning: Record<RuleAction, unknown> = {
    route: [{ destination: { host } }],
    redirect: { uri: "/" },
    directResponse: { status: 503 },
    delegate: { name: "" },
  };
  const change = (next: RuleAction) => {
    const others = actions.filter((one) => one !== next && one !== "route");
    const gone = next === "route" ? others : next === "delegate" ? [...others, "route"] : [...onlyRouted, ...others];
    edit([
      ...gone.map((name): YamlEdit => ({ op: "set", path: [...path, name], value: undefined })),
      { op: "set", path: [...path, next], value: beginning[next] },
    ]);
  };
  return (
    <fieldset className={styles.section}>
      <legend>{t("action")}</legend>
      <div className={styles.items}>
        <SegmentedControl
          value={action}
          onChange={(next) => next !== action && change(next as RuleAction)}
          data={actions.map((value) => ({ value, label: t(`action-${value}`) }))}
          disabled={disabled}
          aria-label={t("action")}
          data-testid={`action-${path[2]}`}
        />
        {action === "route" && <RouteDestinations path={path} number={number} />}
        {action !== "route" && <ErrorsOf path={[...path, action]} />}
        {action === "redirect" && <RedirectPart path={path} />}
        {action === "directResponse" && <DirectResponsePart path={path} />}
        {action === "delegate" && <DelegatePart path={path} />}
      </div>
    </fieldset>
  );
}
