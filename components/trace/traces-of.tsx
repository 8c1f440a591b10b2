"use client";
import { Button } from "@mantine/core";
import { useTranslations } from "use-intl";
import { tracesOfHref } from "../lib/links.ts";
import { Link } from "../ui/link.tsx";

/** Leads to the slow and the failed traces of one service, as its proxies name it. */
export function TracesOf(service: { app: string; namespace: string }) {
  const t = useTranslations("traces");
  return (["slow", "failed"] as const).map((which) => (
    <Button
      key={which}
      component={Link}
      href={tracesOfHref(service, which)}
      variant="default"
      data-testid={`traces-${which}`}
    >
      {t(`of-${which}`)}
    </Button>
  ));
}
