"use client";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import type { Fault } from "../../server/contract/index.ts";
import { useAuthor } from "../config/change-text.ts";
import { serviceHref } from "../lib/links.ts";
import { useConditionsText } from "../traffic/conditions-text.ts";
import type { Column } from "../ui/data-table.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { Moment } from "../ui/quantity.tsx";
import type { PastFault } from "./fault-history.ts";
import { useFaultText } from "./fault-text.tsx";

export type FaultRow = Pick<PastFault, "fault" | "started">;

/** What the list of the faults that burn and the one of those that did begin with; as wide in both, because they stand below each other. */
export function useFaultColumns(unknownStart: (fault: Fault) => ReactNode): Column<FaultRow>[] {
  const t = useTranslations("faults");
  const text = useFaultText();
  const authorOf = useAuthor();
  const hitsOf = useConditionsText();
  const hits = ({ fault }: FaultRow) => hitsOf(fault);
  return [
    {
      key: "service",
      header: t("col-service"),
      width: "15%",
      phone: "title",
      sortValue: ({ fault }) => serviceKey(fault),
      cell: ({ fault: { namespace, service, hostname } }) => (
        <>
          {/* A rule may be for a host that is no service. */}
          {hostname === null ? (
            service
          ) : (
            <ObjectLink className="link" href={serviceHref({ namespace, hostname })}>
              {service}
            </ObjectLink>
          )}{" "}
          <span className="muted mono">{namespace}</span>
        </>
      ),
    },
    {
      key: "what",
      header: t("col-what"),
      width: "28%",
      phone: "title",
      sortValue: ({ fault }) => text(fault),
      cell: ({ fault }) => text(fault),
    },
    { key: "matches", header: t("col-matches"), width: "18%", sortValue: hits, cell: hits },
    {
      key: "started",
      header: t("col-started"),
      width: "16%",
      sortValue: ({ started }) => started?.at ?? 0,
      cell: ({ fault, started }) =>
        started ? (
          <>
            <Moment ms={started.at} /> <span className="muted">{t("by", { author: authorOf(started.by) })}</span>
          </>
        ) : (
          unknownStart(fault)
        ),
    },
  ];
}

/** What a list of faults is filtered by. */
export const serviceKey = ({ namespace, service }: Pick<Fault, "namespace" | "service">): string =>
  `${namespace}/${service}`;
