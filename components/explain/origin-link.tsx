"use client";
import { useTranslations } from "use-intl";
import type { Origin } from "../../server/contract/index.ts";
import { objectHref } from "../lib/links.ts";
import { ObjectLink } from "../ui/object-link.tsx";

/** The object that something comes from, and which of its rules; leads to the line of its YAML. */
export function OriginLink({ origin }: { origin: Origin }) {
  const t = useTranslations("explain");
  const { kind, namespace, name, rule, line } = origin;
  return (
    <ObjectLink
      className="link mono"
      href={objectHref(kind, namespace, name, line ?? undefined)}
      data-testid="explain-origin"
    >
      {kind} {namespace ? `${namespace}/${name}` : name} {rule}
      {line !== null && ` · ${t("line", { line })}`}
    </ObjectLink>
  );
}
