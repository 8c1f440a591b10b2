"use client";
import { useTranslations } from "use-intl";
import { PillButton } from "../ui/pill.tsx";

/** What is written, or what the proxies make of it. */
export type ChangeView = "yaml" | "envoy";

export function ChangeViews({ view, onView }: { view: ChangeView; onView: (view: ChangeView) => void }) {
  const t = useTranslations("traffic");
  return (["yaml", "envoy"] as const).map((one) => (
    <PillButton key={one} pressed={one === view} onClick={() => onView(one)} data-testid={`diff-${one}`}>
      {t(`diff-${one}`)}
    </PillButton>
  ));
}
