"use client";
import Link from "next/link";
import { useTranslations } from "use-intl";
import type { MissingProxy } from "../../server/contract/index.ts";
import { proxyHref } from "../lib/links.ts";
import { LostWords } from "../proxy-sync/lost-words.tsx";
import { Notice } from "../ui/states.tsx";

/** One of the service's workloads has lost its proxy: what is changed does not reach it. */
export function MissingProxyNotice({ proxy }: { proxy: MissingProxy }) {
  const t = useTranslations("service");
  return (
    <Notice tone="bad">
      <span data-testid={`missing-proxy-${proxy.name}`}>
        {t.rich("missing-proxy", {
          proxy: () => (
            <Link className="link" href={proxyHref(proxy.id)} prefetch={false}>
              {proxy.name}
            </Link>
          ),
        })}{" "}
        <LostWords proxy={proxy} />. {t("missing-proxy-means")}
      </span>
    </Notice>
  );
}
