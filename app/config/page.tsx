import type { Metadata } from "next";
import { Suspense } from "react";
import { ConfigListPage } from "../../components/config/config-list-page.tsx";
import { getDashboard } from "../../server/next.ts";
import { getTranslations } from "../intl.ts";
import { settle } from "../settle.ts";
import Loading from "./loading.tsx";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("config.title") });

export default async function Config() {
  const dashboard = await getDashboard();
  return (
    <Suspense fallback={<Loading />}>
      <ConfigListPage
        objects={settle(dashboard.objects())}
        changes={settle(dashboard.changes({ sinceMs: 0, limit: 50 }))}
      />
    </Suspense>
  );
}
