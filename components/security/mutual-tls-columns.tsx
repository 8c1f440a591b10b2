"use client";
import { useTranslations } from "use-intl";
import type { SecuredPort, WorkloadSecurity } from "../../server/contract/index.ts";
import { logsOfHref, objectHref, workloadHref } from "../lib/links.ts";
import type { Column } from "../ui/data-table.tsx";
import { HealthMark } from "../ui/health-mark.tsx";
import { Link } from "../ui/link.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { Count } from "./count.tsx";
import { type MutualTlsState, stateOf } from "./mutual-tls-state.ts";
import styles from "./security.module.css";
import { WorkloadName } from "./workload-name.tsx";

const marks: Record<MutualTlsState, "healthy" | "degraded" | "failing" | "idle"> = {
  "turned-away": "failing",
  plain: "degraded",
  strict: "healthy",
  ready: "healthy",
  silent: "idle",
  "no-proxy": "idle",
  "no-certificate": "idle",
};

export function useMutualTlsColumns(): Column<WorkloadSecurity>[] {
  const t = useTranslations("security");
  return [
    {
      key: "workload",
      header: t("col-workload"),
      phone: "title",
      sortValue: ({ namespace, name }) => `${name} ${namespace}`,
      cell: (one) => (
        <span className={styles.name}>
          <HealthMark health={marks[stateOf(one)]} silent />
          <Link className="link" href={workloadHref(one.namespace, one.name)}>
            {one.name}
          </Link>
          <span className="muted mono">{one.namespace}</span>
        </span>
      ),
    },
    {
      key: "mode",
      header: t("col-mode"),
      sortValue: ({ ports }) => ports[0]?.mode ?? "",
      cell: ({ ports }) => (
        <ul className={styles.ports}>
          {ports.map((port) => (
            <li key={port.port}>
              <Mode port={port} several={ports.length > 1} />
            </li>
          ))}
        </ul>
      ),
    },
    {
      key: "plain",
      header: t("col-plain"),
      align: "right",
      sortValue: ({ plain }) => plain,
      cell: ({ plain, mutual }) => <Count value={plain} tone={plain > 0 && mutual > 0 ? "warn" : "plain"} />,
    },
    { key: "by", header: t("col-by"), cell: (one) => <PlainCallers workload={one} /> },
    {
      key: "mutual",
      header: t("col-mutual"),
      align: "right",
      sortValue: ({ mutual }) => mutual,
      cell: ({ mutual }) => <Count value={mutual} />,
    },
    {
      key: "state",
      header: t("col-state"),
      cell: (one) => {
        const state = stateOf(one);
        return (
          <span data-state={state} className={state === "turned-away" ? styles.bad : undefined}>
            {t(`state-${state}`, { count: one.turnedAway })}
          </span>
        );
      },
    },
  ];
}

/** What a port takes, and the object that says so. */
function Mode({ port: { port, mode, by, plain, mutual }, several }: { port: SecuredPort; several: boolean }) {
  const t = useTranslations("security");
  return (
    <>
      <span className="mono">:{port}</span> {t(`mode-${mode}`)}{" "}
      {by ? (
        <ObjectLink className="link" href={objectHref("PeerAuthentication", by.namespace, by.name)}>
          {by.namespace}/{by.name}
        </ObjectLink>
      ) : (
        <span className="muted">{t("mode-usual")}</span>
      )}
      {several && plain + mutual > 0 && <span className="muted"> {t("port-calls", { plain, mutual })}</span>}
    </>
  );
}

const mostShown = 3;

function PlainCallers({ workload: { namespace, app, version, plainCallers } }: { workload: WorkloadSecurity }) {
  const t = useTranslations("security");
  if (plainCallers.length === 0) return null;
  const left = plainCallers.length - mostShown;
  return (
    <ul className={styles.ports}>
      {plainCallers.slice(0, mostShown).map(({ caller, calls }) => (
        <li key={caller}>
          <WorkloadName of={caller} />{" "}
          <span className={styles.amount}>
            <span className="muted">×</span> <Count value={calls} />
          </span>
        </li>
      ))}
      <li>
        <Link
          className="link"
          href={logsOfHref({ destination: `${namespace}/${app}/${version}`, direction: "inbound" })}
        >
          {left > 0 ? t("more-callers", { count: left }) : t("to-logs")}
        </Link>
      </li>
    </ul>
  );
}
