"use client";
import { useTranslations } from "use-intl";
import type { ChangeResult } from "../../server/contract/index.ts";
import { EnvoyDiff } from "../traffic/envoy-diff.tsx";
import type { ChangeView } from "./change-views.tsx";
import styles from "./config.module.css";
import { ObjectDiffs } from "./yaml-diff.tsx";

/** What a plan writes: the YAML, or what the proxies would get. */
export function PlanDiff({ plan, view }: { plan: ChangeResult; view: ChangeView }) {
  const t = useTranslations("config");
  if (view === "yaml") return <ObjectDiffs objects={plan.objects} />;
  // The plan of before the view was changed has no word on proxies yet.
  return plan.envoy ? <EnvoyDiff preview={plan.envoy} /> : <p className={styles.says}>{t("checking")}</p>;
}
