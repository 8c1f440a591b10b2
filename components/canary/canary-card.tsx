"use client";
import { Button } from "@mantine/core";
import { useTranslations } from "use-intl";
import {
  type CanaryList,
  type CanaryView,
  type Entrance,
  type Routing,
  usualCanary,
} from "../../server/contract/index.ts";
import { useCanaries } from "../lib/queries.ts";
import { useMay } from "../lib/session.tsx";
import { useUrlState } from "../lib/url-state.ts";
import { Panel } from "../ui/panel.tsx";
import styles from "./canary.module.css";
import { CanaryForm } from "./canary-form.tsx";
import { CanaryProgress } from "./canary-progress.tsx";

export interface CanaryCardProps {
  /** `name` as its resource has it. */
  service: { namespace: string; name: string };
  routing: Routing;
  /** Where the service is entered, when nobody inside of the mesh calls it. */
  entrance?: Entrance | undefined;
}

/** Traffic that moves to a new version by itself: the form that starts it, and how it does while it runs. Nothing for a single version. */
export function CanaryCard({ service, routing, entrance }: CanaryCardProps) {
  const may = useMay()("operator", service.namespace);
  const t = useTranslations("canary");
  const url = useUrlState();
  const live = useCanaries();
  const canary = canaryOf(live.data, service.namespace, routing.hostname);
  const usual = usualCanary(entrance ? { ...routing, rules: entrance.rules } : routing);
  const runs = isRunning(canary);
  const isOpen = url.get("canary") === "new" && !runs;
  if (!usual && !canary) return null;
  return (
    <Panel
      title={t("title")}
      hint={canary && t("versions", { from: canary.from, to: canary.to })}
      actions={
        usual &&
        !runs &&
        !isOpen &&
        may && (
          <Button size="compact-sm" onClick={() => url.set({ canary: "new" })} data-testid="canary-new">
            {t(canary ? "again" : "new")}
          </Button>
        )
      }
      data-testid="canary-card"
    >
      {isOpen && usual && may ? (
        <CanaryForm
          service={service}
          versions={routing.versions.map(({ version }) => version)}
          usual={usual}
          entrance={entrance}
          onClose={() => url.set({ canary: null })}
        />
      ) : canary ? (
        <CanaryProgress canary={canary} live={live} />
      ) : (
        <p className={styles.idle}>{t("idle")}</p>
      )}
    </Panel>
  );
}

/** The one that runs, before those that are over; of these the last. */
function canaryOf(list: CanaryList | undefined, namespace: string, hostname: string): CanaryView | undefined {
  const of = (list?.canaries ?? []).filter(
    ({ service }) => service.namespace === namespace && service.hostname === hostname,
  );
  const since = ({ status }: CanaryView): string => status?.since ?? "";
  return of.find(isRunning) ?? of.toSorted((a, b) => (since(a) < since(b) ? 1 : -1))[0];
}

const isRunning = (canary: CanaryView | undefined): boolean =>
  canary?.status?.phase === "Progressing" || canary?.status?.phase === "Paused";
