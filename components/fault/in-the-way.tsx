"use client";
import { useTranslations } from "use-intl";
import type { ApiError, Fault } from "../../server/contract/index.ts";
import { useAuthor } from "../config/change-text.ts";
import { useErrorText } from "../lib/error-text.ts";
import { useConditionsText } from "../traffic/conditions-text.ts";
import styles from "./fault.module.css";
import { useFaultText } from "./fault-text.tsx";
import { StopFaultButton } from "./stop-button.tsx";

/** Why it can't start, and the faults that stand in its way, each with the button that ends it. */
export function InTheWay({ error, burning }: { error: ApiError; burning: readonly Fault[] }) {
  const t = useTranslations("faults");
  const text = useFaultText();
  const authorOf = useAuthor();
  const textOf = useErrorText();
  const hitsOf = useConditionsText();
  const why = error.errors?.map(textOf).join("; ") || textOf(error);
  return (
    <div className={styles.inTheWay} role="alert" data-testid="fault-in-the-way">
      <p>{why}</p>
      <ul>
        {burning.map((fault) => (
          <li key={fault.id}>
            <span>
              <b>{text(fault)}</b>{" "}
              <span className="muted">
                {hitsOf(fault)}
                {" · "}
                {fault.author
                  ? t("by", { author: authorOf(fault.author) })
                  : t("by-hand", { object: fault.virtualService })}
              </span>
            </span>
            <StopFaultButton fault={fault} />
          </li>
        ))}
      </ul>
    </div>
  );
}
