"use client";
import { useTranslations } from "use-intl";
import { useAuthor } from "../config/change-text.ts";
import { useFaults } from "../lib/queries.ts";
import { useConditionsText } from "../traffic/conditions-text.ts";
import { HealthMark } from "../ui/health-mark.tsx";
import styles from "./fault.module.css";
import { useFaultText } from "./fault-text.tsx";
import { fuseAt } from "./fuse.ts";
import { FuseRing } from "./fuse-ring.tsx";
import { StopFaultButton } from "./stop-button.tsx";
import { useServerNow } from "./use-now.ts";

/** What is injected into one service right now, with its countdown and the way to end it. */
export function BurningFaults({ service, title }: { service: { namespace: string; name: string }; title: string }) {
  const t = useTranslations("faults");
  const text = useFaultText();
  const authorOf = useAuthor();
  const hitsOf = useConditionsText();
  const live = useFaults();
  const now = useServerNow(live);
  const mine = (live.data?.faults ?? []).filter(
    (fault) =>
      fault.namespace === service.namespace &&
      (fault.hostname === null ? fault.service === title : fault.hostname === service.name),
  );
  return mine.map((fault) => (
    <div key={fault.id} className={styles.banner} role="status" data-testid="burning-fault">
      <HealthMark health="failing" silent />
      <span>
        <b>{text(fault)}</b>
        {fault.matches.length > 0 && <> · {hitsOf(fault)}</>}
        <span className="muted">
          {" "}
          {fault.author ? t("by", { author: authorOf(fault.author) }) : t("by-hand", { object: fault.virtualService })}
        </span>
      </span>
      <FuseRing fuse={fuseAt(fault, now)} />
      <StopFaultButton fault={fault} />
    </div>
  ));
}
