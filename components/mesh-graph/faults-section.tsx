"use client";
import { useFaultText } from "../fault/fault-text.tsx";
import { fuseAt } from "../fault/fuse.ts";
import { FuseRing } from "../fault/fuse-ring.tsx";
import { StopFaultButton } from "../fault/stop-button.tsx";
import { useServerNow } from "../fault/use-now.ts";
import { useFaults } from "../lib/queries.ts";
import { useConditionsText } from "../traffic/conditions-text.ts";
import { SideSection } from "../ui/side-sheet.tsx";
import styles from "./panel.module.css";

/** What burns here: how much of the requests, how long still, and the way to end it. */
export function FaultsSection({ ids }: { ids: readonly string[] }) {
  const hitsOf = useConditionsText();
  const text = useFaultText();
  const live = useFaults();
  const now = useServerNow(live);
  const shown = (live.data?.faults ?? []).filter(({ id }) => ids.includes(id));
  if (shown.length === 0) return null;
  return (
    <SideSection>
      <ul className={styles.faults} data-testid="panel-faults">
        {shown.map((fault) => (
          <li key={fault.id}>
            <span>
              <b>{text(fault)}</b>
              {fault.matches.length > 0 && <span className="muted"> {hitsOf(fault)}</span>}
            </span>
            <FuseRing fuse={fuseAt(fault, now)} />
            <StopFaultButton fault={fault} />
          </li>
        ))}
      </ul>
    </SideSection>
  );
}
