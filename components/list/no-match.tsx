"use client";
import { useTranslations } from "use-intl";
import { useUrlState } from "../lib/url-state.ts";
import { PillButton } from "../ui/pill.tsx";
import { EmptyState } from "../ui/states.tsx";

export interface NoMatchProps {
  title: string;
  /** Names of the URL parameters that narrow the list. */
  filters: readonly string[];
}

/** Of a list that is empty only because of what was asked of it: what that is, and the way out. */
export function NoMatch({ title, filters }: NoMatchProps) {
  const t = useTranslations("list");
  const url = useUrlState();
  const clear = () => url.set(Object.fromEntries(filters.map((name) => [name, null])));
  return <EmptyState title={title} action={<PillButton onClick={clear}>{t("clear")}</PillButton>} />;
}
