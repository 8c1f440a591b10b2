import type { Metadata } from "next";
import { Suspense } from "react";
import { OverviewPage } from "../../components/overview/overview-page.tsx";
import { getDashboard } from "../../server/next.ts";
import { getTranslations } from "../intl.ts";
import { settle } from "../settle.ts";
import Loading from "./loading.tsx";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("overview.title") });

export default async function Overview() {
  const dashboard = await getDashboard();
  return (
    <Suspense fallback={<Loading />}>
      <OverviewPage
        overview={settle(dashboard.overview())}
        services={settle(dashboard.services({ windowSec: 60 }))}
        proxies={settle(dashboard.proxies())}
        changes={settle(dashboard.changes({ sinceMs: Date.now() - 3_600_000, limit: 100 }))}
      />
    </Suspense>
  );
}
