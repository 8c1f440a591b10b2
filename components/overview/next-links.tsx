"use client";
import Link from "next/link";
import { useTranslations } from "use-intl";
import { type MeshStatus, type ServiceListItem, serviceTitle } from "../../server/contract/index.ts";
import {
  configHref,
  faultsHref,
  outOfSyncHref,
  serviceHref,
  serviceOnGraphHref,
  topologyHref,
  troubleOnGraphHref,
} from "../lib/links.ts";
import styles from "./overview.module.css";
import { troubledServices } from "./trouble.ts";

/** From the worst that there is to where it is told more of; without any, to what people look at first. */
export function NextLinks({
  services,
  status,
}: {
  services: readonly ServiceListItem[];
  status: MeshStatus | undefined;
}) {
  const t = useTranslations("overview");
  const [worst] = troubledServices(services);
  const links = [
    ...(worst
      ? [
          { href: serviceHref(worst, "metrics"), text: t("look-metrics", { service: serviceTitle(worst) }) },
          { href: serviceOnGraphHref(worst), text: t("look-callers", { service: serviceTitle(worst) }) },
          { href: troubleOnGraphHref, text: t("look-graph") },
        ]
      : [{ href: topologyHref, text: t("look-topology") }]),
    ...((status?.faults ?? 0) > 0 ? [{ href: faultsHref, text: t("look-faults") }] : []),
    ...(status && status.proxies.inSync < status.proxies.total
      ? [{ href: outOfSyncHref, text: t("look-proxies") }]
      : []),
    { href: configHref, text: t("look-history") },
  ];
  return (
    <ul className={styles.next}>
      {links.map(({ href, text }) => (
        <li key={href}>
          <Link className="link" href={href} prefetch={false}>
            {text}
          </Link>
        </li>
      ))}
    </ul>
  );
}
