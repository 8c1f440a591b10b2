"use client";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { PillButton } from "../ui/pill.tsx";

export function CopyButton({ text }: { text: string }) {
  const t = useTranslations("proxies");
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text).catch(() => undefined);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  const Icon = copied ? IconCheck : IconCopy;
  return (
    <PillButton onClick={() => void copy()} data-testid="json-copy">
      <Icon size={13} aria-hidden />
      {copied ? t("copied") : t("copy")}
    </PillButton>
  );
}
