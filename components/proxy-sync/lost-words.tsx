"use client";
import { useTranslations } from "use-intl";
import type { ProxySync } from "../../server/contract/index.ts";
import { Moment } from "../ui/quantity.tsx";

/** "disconnected since 14:02:11, last held revision 213" */
export function LostWords({ proxy }: { proxy: Pick<ProxySync, "disconnectedAt" | "heldRevision"> }) {
  const t = useTranslations("proxies");
  const { disconnectedAt, heldRevision } = proxy;
  return (
    <span>
      <span>
        {disconnectedAt === null
          ? t("never-connected")
          : t.rich("disconnected-since", { time: () => <Moment ms={disconnectedAt} /> })}
      </span>
      {heldRevision !== null && <span className="muted">{t("last-held", { revision: heldRevision })}</span>}
    </span>
  );
}
