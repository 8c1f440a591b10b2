"use client";
import { useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { isUnserved, reloadWhenServed } from "../ui/missing-parts.ts";
import { ErrorState } from "../ui/states.tsx";

/** The last resort of a page: says what failed and tries again by itself, every 5 s while it is visible. */
export function PageError({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  const t = useTranslations("error");
  const [since] = useState(() => Date.now());
  const retry = isUnserved(error) ? reloadWhenServed : reset;
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") retry();
    }, 5000);
    return () => clearInterval(timer);
  }, [retry]);
  return (
    <ErrorState
      title={t("page")}
      detail={error.digest ? `${error.message} (${error.digest})` : error.message}
      since={since}
      works={t("page-works")}
      onRetry={retry}
    />
  );
}
