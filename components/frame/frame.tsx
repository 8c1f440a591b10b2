"use client";
import { type ReactNode, Suspense, use } from "react";
import { useTranslations } from "use-intl";
import type { MeshStatus } from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import { useMeshStatus } from "../lib/mesh-status.ts";
import styles from "./frame.module.css";
import { useFreshness } from "./freshness.ts";
import { Guides } from "./guides.tsx";
import { MissingPart } from "./missing-part.tsx";
import { Navigation } from "./navigation.tsx";
import { PushAnnouncer } from "./push-announcer.tsx";
import { TopBar } from "./top-bar.tsx";
import { useKeptFocus } from "./use-kept-focus.ts";

/** What is around every page: brand, fleet, freshness, navigation. The status streams in; until then the places are kept. */
export function Frame({ status, children }: { status: Promise<Settled<MeshStatus>>; children: ReactNode }) {
  const t = useTranslations("frame");
  useKeptFocus();
  return (
    <div className={styles.app}>
      <a className={styles.skip} href="#main">
        {t("skip")}
      </a>
      <Suspense fallback={<Bars />}>
        <LiveBars status={status} />
      </Suspense>
      <Main>{children}</Main>
      <Guides />
      <MissingPart />
    </div>
  );
}

function Main({ children }: { children: ReactNode }) {
  return (
    <main id="main" className={styles.main} tabIndex={-1}>
      {children}
    </main>
  );
}

function LiveBars({ status }: { status: Promise<Settled<MeshStatus>> }) {
  return <Bars initial={use(status)} />;
}

function Bars({ initial }: { initial?: Settled<MeshStatus> }) {
  const live = useMeshStatus(initial);
  const freshness = useFreshness(live);
  return (
    <>
      <TopBar status={live.data} freshness={freshness} />
      <Navigation status={live.data} />
      <PushAnnouncer status={live.data} />
    </>
  );
}
