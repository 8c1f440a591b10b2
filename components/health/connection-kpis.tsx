"use client";
import { useTranslations } from "use-intl";
import type { Flow, Signals } from "../../server/contract/index.ts";
import { Kpi } from "../ui/kpi.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { ErrorShare } from "./signals.tsx";

/** In place of the golden signals where connections are counted, not requests; for a list of figures. */
export function ConnectionKpis({ signals, bytes }: { signals: Signals; bytes: Flow }) {
  const t = useTranslations("panel");
  return (
    <>
      <Kpi label={t("bytes-sent")}>
        <NumberWithUnit value={bytes.sent} kind="bytes" />
      </Kpi>
      <Kpi label={t("bytes-received")}>
        <NumberWithUnit value={bytes.received} kind="bytes" />
      </Kpi>
      <Kpi label={t("connections")}>
        <NumberWithUnit value={signals.requestRate} kind="per-second" />
      </Kpi>
      <Kpi label={t("connections-failed")}>
        <ErrorShare signals={signals} />
      </Kpi>
    </>
  );
}
