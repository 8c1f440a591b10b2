import type { Metadata } from "next";
import { Suspense } from "react";
import { AlertsPage } from "../../components/alerts/alerts-page.tsx";
import { getDashboard } from "../../server/next.ts";
import { getTranslations } from "../intl.ts";
import { settle } from "../settle.ts";
import Loading from "./loading.tsx";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("alerts.title") });

export default async function Alerts() {
  const dashboard = await getDashboard();
  return (
    <Suspense fallback={<Loading />}>
      <AlertsPage initial={settle(dashboard.alerts())} />
    </Suspense>
  );
}
