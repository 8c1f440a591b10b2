"use client";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import type { Need } from "../../server/contract/index.ts";
import { IfMay } from "../lib/session.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { EmptyState } from "../ui/states.tsx";

/** A page for whoever may see it; the listener has answered 403 to everybody else. */
export function Restricted({ need, title, children }: { need: Need; title: string; children: ReactNode }) {
  const t = useTranslations("users");
  return (
    <IfMay
      as={need.role}
      namespace={need.namespace}
      otherwise={
        <Page>
          <PageHeader title={title} />
          <EmptyState title={t("forbidden")}>{t("forbidden-text")}</EmptyState>
        </Page>
      }
    >
      {children}
    </IfMay>
  );
}
