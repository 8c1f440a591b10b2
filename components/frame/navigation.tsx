"use client";
import { IconDots } from "@tabler/icons-react";
import dynamic from "next/dynamic";
import { usePathname } from "next/navigation";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { MeshStatus } from "../../server/contract/index.ts";
import { Link } from "../ui/link.tsx";
import { PartBoundary } from "../ui/part-boundary.tsx";
import styles from "./navigation.module.css";
import { type Count, countOf, hiddenTrouble, type PageKey, usePages } from "./pages.ts";

const MorePages = dynamic(() => import("./more-pages.tsx").then((module) => module.MorePages));

/** Every page with its count. On a phone the first few, and a sheet with the others. */
export function Navigation({ status }: { status: MeshStatus | undefined }) {
  const t = useTranslations("nav");
  const path = usePathname();
  const pages = usePages();
  const [more, setMore] = useState(false);
  const hidden = status && hiddenTrouble(status);
  const elsewhere = pages.some(({ href, atHand }) => !atHand && path.startsWith(href));
  return (
    <nav className={styles.nav} aria-label={t("label")} data-tour="navigation">
      {pages.map(({ key, href, icon: Icon, group, atHand }, index) => (
        <Link
          key={key}
          href={href}
          aria-current={path.startsWith(href) ? "page" : undefined}
          data-page={key}
          data-at-hand={atHand}
          data-divided={index > 0 && pages[index - 1]?.group !== group ? true : undefined}
        >
          <Icon size={16} stroke={1.8} aria-hidden />
          <span className={styles.name}>{t(key)}</span>
          <CountMark page={key} count={status && countOf(key, status)} />
        </Link>
      ))}
      <button
        type="button"
        className={styles.more}
        aria-expanded={more}
        data-current={elsewhere || undefined}
        onClick={() => setMore(true)}
        data-testid="more-pages"
      >
        <IconDots size={16} stroke={1.8} aria-hidden />
        <span className={styles.name}>{t("more")}</span>
        {hidden && <b className={hidden.tone ? styles[hidden.tone] : undefined}>{hidden.shown}</b>}
      </button>
      {more && (
        <PartBoundary>
          <MorePages status={status} path={path} onClose={() => setMore(false)} />
        </PartBoundary>
      )}
    </nav>
  );
}

export function CountMark({ page, count }: { page: PageKey; count: Count | null | undefined }) {
  const t = useTranslations("nav");
  if (!count) return null;
  const title = count.tone ? t(`wrong-${page}`, { count: count.wrong }) : undefined;
  return (
    <b className={count.tone ? styles[count.tone] : undefined} title={title}>
      {count.shown}
    </b>
  );
}
