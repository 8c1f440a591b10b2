"use client";
import { Button, CloseButton } from "@mantine/core";
import Link from "next/link";
import { useLocale, useTranslations } from "use-intl";
import type { BrokenCaller, StrictPreview } from "../../server/contract/index.ts";
import { Sample } from "../advice/rule-list.tsx";
import type { Settled } from "../lib/api.ts";
import { newStrictHref, objectHref } from "../lib/links.ts";
import { useMay } from "../lib/session.tsx";
import { useUrlState } from "../lib/url-state.ts";
import { LiveContent } from "../list/live-content.tsx";
import { formatSpan } from "../ui/format.ts";
import { ObjectLink } from "../ui/object-link.tsx";
import { SideSection, SideSheet } from "../ui/side-sheet.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import type { TimeRange } from "../ui/time-range.ts";
import { Count } from "./count.tsx";
import styles from "./security.module.css";
import { namedBy, wholeMeshTarget } from "./security-address.ts";
import { useStrictPreview } from "./security-queries.ts";
import { WorkloadName } from "./workload-name.tsx";

export interface StrictSheetProps {
  /** `<namespace>`, `<namespace>/<workload>`, or `*` for the mesh. */
  target: string;
  range: TimeRange;
  initial: Settled<StrictPreview> | undefined;
}

/** What STRICT would break of what was recorded, before it is made. */
export function StrictSheet({ target, range, initial }: StrictSheetProps) {
  const t = useTranslations("security");
  const url = useUrlState();
  const may = useMay();
  const locale = useLocale();
  const live = useStrictPreview(target, range, initial);
  const title = t("strict-title", { target: target === wholeMeshTarget ? t("whole-mesh") : target });
  const close = () => url.set({ strict: null });
  return (
    <SideSheet label={title} onClose={close}>
      <div data-testid="strict-preview">
        <SideSection>
          <div className={styles.head}>
            <h2>{title}</h2>
            <CloseButton aria-label={t("close")} onClick={close} />
          </div>
          <LiveContent live={live} unreadable={t("unreadable")} skeleton={<SkeletonBlock height={96} />}>
            {(preview) => <Verdict preview={preview} span={formatSpan(range.windowSec, locale)} />}
          </LiveContent>
          <Button
            component={Link}
            href={newStrictHref(namedBy(target))}
            prefetch={false}
            size="compact-sm"
            data-testid="strict-write"
          >
            {t(may("operator") ? (live.data?.policy.exists ? "strict-change" : "strict-write") : "strict-read")}
          </Button>
        </SideSection>
        {live.data && <Broken workloads={live.data.workloads} />}
        {live.data && <Kept kept={live.data.kept} />}
      </div>
    </SideSheet>
  );
}

function Verdict({ preview: { workloads }, span }: { preview: StrictPreview; span: string }) {
  const t = useTranslations("security");
  const calls = workloads.reduce((sum, one) => sum + one.calls, 0);
  const count = workloads.flatMap(({ broken }) => broken).reduce((sum, one) => sum + one.calls, 0);
  const unguarded = workloads.filter(({ proxy }) => proxy === "none").map(({ name }) => name);
  return (
    <>
      <p className={styles.verdict} data-tone={count > 0 ? "bad" : "ok"} data-testid="strict-verdict">
        {workloads.length === 0
          ? t("strict-nothing")
          : t("strict-verdict", { workloads: workloads.length, calls, count, span })}
      </p>
      {unguarded.length > 0 && <p className={styles.quiet}>{t("strict-no-proxy", { names: unguarded.join(", ") })}</p>}
      <p className={styles.quiet}>{t("strict-silent", { span })}</p>
    </>
  );
}

function Broken({ workloads }: Pick<StrictPreview, "workloads">) {
  const t = useTranslations("security");
  const broken = workloads
    .flatMap(({ namespace, name, broken: own }) =>
      own.map((caller): BrokenCaller & { destination: string } => ({ ...caller, destination: `${namespace}/${name}` })),
    )
    .toSorted((a, b) => b.calls - a.calls);
  if (broken.length === 0) return null;
  return (
    <SideSection>
      <h3 className={styles.heading}>{t("strict-broken")}</h3>
      <ul className={styles.broken}>
        {broken.map(({ caller, destination, calls, why, sample }) => (
          <li key={`${caller} ${destination}`} data-broken={caller}>
            <span className={styles.pairHead}>
              <span>
                <WorkloadName of={caller} /> → <WorkloadName of={destination} />
              </span>
              <Count value={calls} tone="bad" />
            </span>
            <span className={styles.quiet}>{t(`why-${why}`)}</span>
            {sample && <Sample sample={sample} to="line" />}
          </li>
        ))}
      </ul>
    </SideSection>
  );
}

function Kept({ kept }: Pick<StrictPreview, "kept">) {
  const t = useTranslations("security");
  if (kept.length === 0) return null;
  return (
    <SideSection>
      <h3 className={styles.heading}>{t("strict-kept")}</h3>
      <ul className={styles.ports}>
        {kept.flatMap(({ namespace, name, ports }) =>
          ports.map(({ port, mode, by }) => (
            <li key={`${namespace}/${name}:${port}`}>
              {name} <span className="mono">:{port}</span> {t(`mode-${mode}`)}{" "}
              {by && (
                <ObjectLink className="link" href={objectHref("PeerAuthentication", by.namespace, by.name)}>
                  {by.namespace}/{by.name}
                </ObjectLink>
              )}
            </li>
          )),
        )}
      </ul>
    </SideSection>
  );
}
