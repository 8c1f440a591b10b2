"use client";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import type { ApiError } from "../../server/contract/index.ts";
import { useErrorText } from "../lib/error-text.ts";
import { isOverdue, type Live } from "../lib/live.ts";
import { useUrlState } from "../lib/url-state.ts";
import { PillButton } from "../ui/pill.tsx";
import { EmptyState, ErrorState, Notice } from "../ui/states.tsx";

export interface LiveContentProps<T> {
  live: Live<T>;
  /** What can't be read, as a sentence. Left out beside content that says more of it: one line is enough there. */
  unreadable?: string;
  /** At the size of what is coming. */
  skeleton: ReactNode;
  children: (data: T) => ReactNode;
}

/** The states of everything that is read again and again: not yet, not at all, and not any more (with what was read last). */
export function LiveContent<T>({ live, unreadable, skeleton, children }: LiveContentProps<T>) {
  const { data, error } = live;
  const textOf = useErrorText();
  const line = error && <Notice tone="warn">{textOf(error)}</Notice>;
  if (data === undefined) {
    if (!error) return skeleton;
    if (unreadable === undefined) return line;
    return error.code === "INVALID" ? <Senseless error={error} /> : <Unreadable title={unreadable} live={live} />;
  }
  return (
    <>
      {isOverdue(live) && line}
      {children(data)}
    </>
  );
}

/** The address asks for what can't be: which of its parameters, and the way out. A form may not even show what it can't hold. */
function Senseless({ error }: { error: ApiError }) {
  const t = useTranslations("list");
  const textOf = useErrorText();
  const url = useUrlState();
  const wrong = (error.errors ?? []).map(({ path }) => path).filter((name) => url.get(name) !== null);
  const clear = () => url.set(Object.fromEntries(wrong.map((name) => [name, null])));
  const action = wrong.length > 0 && <PillButton onClick={clear}>{t("clear")}</PillButton>;
  return (
    <EmptyState title={t("senseless")} action={action}>
      {textOf(error)}
    </EmptyState>
  );
}

/** Nothing could be read: what, why, since when, and what goes on meanwhile. */
export function Unreadable({ title, live }: { title: string; live: Live<unknown> }) {
  const t = useTranslations("error");
  const textOf = useErrorText();
  const { error, failingSince, refresh } = live;
  return (
    <ErrorState
      title={title}
      detail={error && textOf(error)}
      since={failingSince}
      works={t(error?.code === "TELEMETRY_UNREACHABLE" ? "works-config" : "works-traffic")}
      onRetry={refresh}
    />
  );
}
