"use client";
import { useTranslations } from "use-intl";
import { type ProxySaturation, saturationTone } from "../../server/contract/index.ts";
import { NumberWithUnit } from "../ui/quantity.tsx";

/** How full a proxy is, and of what; the fullest of several. */
export function SaturationValue({ of }: { of: ProxySaturation | undefined }) {
  const words = useSaturationWords();
  return (
    <abbr style={{ textDecoration: "none" }} title={words(of)}>
      <NumberWithUnit value={of?.share ?? null} kind="share" tone={saturationTone(of?.share ?? null)} />
    </abbr>
  );
}

/** `of its processor`, `of the connections to reviews`. */
export function useSaturationWords(): (of: ProxySaturation | undefined) => string {
  const t = useTranslations("metrics");
  return (of) => {
    if (!of) return t("saturation-none");
    if (of.by === null) return t("saturation-unknown");
    return `${of.workload}: ${of.by === "cpu" ? t("saturation-cpu") : t(`saturation-${of.by}`, { cluster: clusterTitle(of.cluster ?? "") })}`;
  };
}

/** `outbound|9080|v1|reviews.default.svc.cluster.local` is called `reviews v1`. */
export function clusterTitle(cluster: string): string {
  const [direction, port = "", subset, host = ""] = cluster.split("|");
  if (direction === "inbound") return `:${port}`;
  if (host === "") return cluster;
  return [host.split(".")[0], subset].filter(Boolean).join(" ");
}
