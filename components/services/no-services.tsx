"use client";
import { useTranslations } from "use-intl";
import { newObjectHref } from "../lib/links.ts";
import { IfMay } from "../lib/session.tsx";
import { Link } from "../ui/link.tsx";
import { EmptyState } from "../ui/states.tsx";

/** A mesh without services, and how it gets one. */
export function NoServices() {
  const t = useTranslations("services");
  return (
    <EmptyState
      title={t("empty")}
      action={
        <IfMay as="operator">
          <Link className="link" href={newObjectHref}>
            {t("empty-action")}
          </Link>
        </IfMay>
      }
    >
      {t("empty-text")}
    </EmptyState>
  );
}
