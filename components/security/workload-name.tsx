"use client";
import { useTranslations } from "use-intl";

/** `<namespace>/<name>` as name and muted namespace; empty: nobody knows who. */
export function WorkloadName({ of }: { of: string }) {
  const t = useTranslations("security");
  if (of === "") return <span className="muted">{t("unknown-caller")}</span>;
  const [namespace, name] = of.split("/", 2);
  return (
    <>
      {name} <span className="muted mono">{namespace}</span>
    </>
  );
}
