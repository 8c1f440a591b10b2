"use client";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import type { Live } from "../lib/live.ts";
import { ErrorState, Notice } from "../ui/states.tsx";

export interface LiveContentProps<T> {
  live: Live<T>;
  /** What can't be read, as a sentence. */
  unreadable: string;
  /** Whose absence it most likely is; says what still works. */
  works?: "CONTROL_PLANE_UNREACHABLE" | "TELEMETRY_UNREACHABLE" | "other";
  /** At the size of what is coming. */
  skeleton: ReactNode;
  children: (data: T) => ReactNode;
}

/** The states of everything that is read again and again: not yet, not at all, and not any more (with what was read last). */
export function LiveContent<T>(props: LiveContentProps<T>) {
  const { live, unreadable, works = "CONTROL_PLANE_UNREACHABLE", skeleton, children } = props;
  const t = useTranslations("error");
  const { data, error, failingSince, refresh } = live;
  if (data === undefined && error) {
    return (
      <ErrorState
        title={unreadable}
        detail={error.message}
        since={failingSince}
        works={t(`works-${works}`)}
        onRetry={refresh}
      />
    );
  }
  if (data === undefined) return skeleton;
  return (
    <>
      {error && <Notice tone="warn">{error.message}</Notice>}
      {children(data)}
    </>
  );
}
