import type { MetricInfo } from "../../server/contract/index.ts";

/** Those with all the words somewhere in their name, description or service; the ones whose name begins with the text come first. */
export function findMetrics<M extends Pick<MetricInfo, "name" | "description" | "services">>(
  metrics: readonly M[],
  text: string,
): M[] {
  const wanted = text.trim().toLowerCase();
  const words = wanted.split(/\s+/).filter(Boolean);
  const begins = ({ name }: M) => Number(wanted !== "" && name.toLowerCase().startsWith(wanted));
  return metrics
    .filter(({ name, description, services }) => {
      const all = `${name} ${description} ${services.join(" ")}`.toLowerCase();
      return words.every((word) => all.includes(word));
    })
    .toSorted((a, b) => begins(b) - begins(a));
}
