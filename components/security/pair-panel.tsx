"use client";
import { CloseButton } from "@mantine/core";
import Link from "next/link";
import { useTranslations } from "use-intl";
import type { CoveredCall } from "../../server/contract/index.ts";
import { logsOfHref, proposeHref } from "../lib/links.ts";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { Count } from "./count.tsx";
import { PolicyNames } from "./policy-names.tsx";
import styles from "./security.module.css";
import { WorkloadName } from "./workload-name.tsx";

/** One cell of the matrix: its figures, what policies say, and the ways on. */
export function PairPanel({ call, onClose }: { call: CoveredCall; onClose: () => void }) {
  const t = useTranslations("security");
  const { caller, called, calls, mutual, refused, reach, policies } = call;
  const [namespace = "", app = ""] = called.split("/", 2);
  const facts = [
    { key: "calls", value: <Count value={calls} /> },
    { key: "share", value: <NumberWithUnit value={mutual / calls} kind="share" /> },
    { key: "refused", value: <Count value={refused} tone="bad" /> },
    { key: "reach", value: t(`reach-${reach}`) },
    { key: "policies", value: <PolicyNames policies={policies} /> },
  ] as const;
  return (
    <section className={styles.pair} aria-label={t("pair", { caller, called })} data-testid="coverage-pair">
      <div className={styles.pairHead}>
        <h3>
          <WorkloadName of={caller} /> → <WorkloadName of={called} />
        </h3>
        <CloseButton size="sm" aria-label={t("close")} onClick={onClose} />
      </div>
      <dl className={styles.facts}>
        {facts.map(({ key, value }) => (
          <div key={key}>
            <dt>{t(`col-${key}`)}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p className={styles.links}>
        <Link
          className="link"
          href={logsOfHref({ ...(caller && { source: caller }), destination: called, direction: "inbound" })}
          prefetch={false}
        >
          {t("to-logs")}
        </Link>
        <Link className="link" href={proposeHref(namespace, app)} prefetch={false}>
          {t("propose")}
        </Link>
      </p>
    </section>
  );
}
