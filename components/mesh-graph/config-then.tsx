"use client";
import { useTranslations } from "use-intl";
import { CodeDiff } from "../config/code/code-diff.tsx";
import { objectHref } from "../lib/links.ts";
import { useLive } from "../lib/live.ts";
import { compareMeshes } from "../lib/writes.ts";
import { LiveContent } from "../list/live-content.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { Moment } from "../ui/quantity.tsx";
import { SideSection, SideSheet } from "../ui/side-sheet.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import { PanelHeader } from "./panel-header.tsx";

/** What was in force at the replayed moment and is not, or otherwise, today. */
export function ConfigThenPanel({ at, onClose }: { at: number; onClose: () => void }) {
  const t = useTranslations("strip");
  const live = useLive({
    queryKey: ["config-then", at],
    read: (signal) => compareMeshes({ from: { at }, to: { now: true } }, signal),
    everyMs: null,
  });
  return (
    <SideSheet label={t("config-then")} onClose={onClose}>
      <PanelHeader health="idle" title={t("config-then")} onClose={onClose} />
      <LiveContent live={live} unreadable={t("config-unreadable")} skeleton={<SkeletonBlock height={240} />}>
        {({ from, objects: all }) => {
          // Workloads come and go by themselves.
          const objects = all.filter(({ kind }) => kind !== "WorkloadEntry");
          return (
            <>
              <SideSection>
                <p className="muted" data-testid="config-then">
                  {t.rich("config-of", { revision: from ?? 0, time: () => <Moment ms={at} /> })}
                </p>
              </SideSection>
              {objects.length === 0 && (
                <SideSection>
                  <p className="muted">{t("config-same")}</p>
                </SideSection>
              )}
              {objects.map(({ kind, namespace, name, before, after }) => (
                <SideSection key={`${kind}/${namespace}/${name}`}>
                  <p>
                    {after === "" ? (
                      `${kind} ${name}`
                    ) : (
                      <ObjectLink className="link" href={objectHref(kind, namespace, name)}>
                        {kind} {name}
                      </ObjectLink>
                    )}{" "}
                    <span className="muted">
                      {before === "" ? t("config-since") : after === "" ? t("config-gone") : ""}
                    </span>
                  </p>
                  <CodeDiff before={before} after={after} label={t("config-diff", { object: `${kind} ${name}` })} />
                </SideSection>
              ))}
            </>
          );
        }}
      </LiveContent>
    </SideSheet>
  );
}
