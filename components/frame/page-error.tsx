"use client";
import { useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { ErrorState } from "../ui/states.tsx";

/** The last resort of a page: says what failed and tries again by itself, every 5 s while it is visible. */
export function PageError({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  const t = useTranslations("error");
  const [since] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") reset();
    }, 5000);
    return () => clearInterval(timer);
  }, [reset]);
  return (
    <ErrorState
      title={t("page")}
      detail={error.digest ? `${error.message} (${error.digest})` : error.message}
      since={since}
      works={t("page-works")}
      onRetry={reset}
    />
  );
}
