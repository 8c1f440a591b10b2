"use client";
import { Drawer } from "@mantine/core";
import { useTranslations } from "use-intl";
import type { MeshStatus } from "../../server/contract/index.ts";
import { Link } from "../ui/link.tsx";
import styles from "./more-pages.module.css";
import { CountMark } from "./navigation.tsx";
import { countOf, usePages } from "./pages.ts";

export interface MorePagesProps {
  status: MeshStatus | undefined;
  path: string;
  onClose: () => void;
}

/** A phone's other pages, in a sheet from below. */
export function MorePages({ status, path, onClose }: MorePagesProps) {
  const t = useTranslations("nav");
  const pages = usePages();
  return (
    <Drawer.Root opened onClose={onClose} position="bottom" size={270} padding={0} radius={12}>
      <Drawer.Overlay />
      <Drawer.Content aria-label={t("more")}>
        <Drawer.Body>
          <ul className={styles.pages} data-testid="more-sheet">
            {pages
              .filter(({ atHand }) => !atHand)
              .map(({ key, href, icon: Icon }) => (
                <li key={key}>
                  <Link href={href} onClick={onClose} aria-current={path.startsWith(href) ? "page" : undefined}>
                    <Icon size={18} stroke={1.8} aria-hidden />
                    {t(key)}
                    <CountMark page={key} count={status && countOf(key, status)} />
                  </Link>
                </li>
              ))}
          </ul>
        </Drawer.Body>
      </Drawer.Content>
    </Drawer.Root>
  );
}
