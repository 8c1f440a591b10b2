"use client";
import { Button } from "@mantine/core";
import { useEffect } from "react";
import { useTranslations } from "use-intl";
import { mayLeave } from "../lib/leave-guard.ts";
import { isUnserved, reloadWhenServed, useMissingPart } from "../ui/missing-parts.ts";
import styles from "./missing-part.module.css";

const againMs = 3000;
/** A page that has just been loaded and lacks a part of itself would not be helped by being loaded once more. */
const settledMs = 60_000;

/**
 * Says that a part of the page is not there, as after an upgrade of the dashboard or while it starts again, and loads the page anew: by itself where
 * nothing would be lost by it.
 */
export function MissingPart() {
  const t = useTranslations("error");
  const error = useMissingPart();
  const unserved = error !== null && isUnserved(error);
  useEffect(() => {
    if (!unserved || performance.now() < settledMs) return;
    const timer = setInterval(() => {
      if (document.visibilityState === "visible" && mayLeave(() => false)) void reloadWhenServed();
    }, againMs);
    return () => clearInterval(timer);
  }, [unserved]);
  if (error === null) return null;
  return (
    <div className={styles.notice} role="alert" data-testid="missing-part">
      <p>{unserved ? t("part-unserved") : t("part-failed", { why: error.message })}</p>
      <Button size="compact-sm" onClick={() => window.location.reload()}>
        {t("reload")}
      </Button>
    </div>
  );
}
