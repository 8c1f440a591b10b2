import type { Metadata } from "next";
import { Suspense } from "react";
import { MetricsPage } from "../../components/metrics/metrics-page.tsx";
import { getDashboard } from "../../server/next.ts";
import { getTranslations } from "../intl.ts";
import { settle } from "../settle.ts";
import Loading from "./loading.tsx";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("metrics.title") });

export default async function Metrics() {
  const catalog = settle((await getDashboard()).metricCatalog());
  return (
    <Suspense fallback={<Loading />}>
      <MetricsPage catalog={catalog} />
    </Suspense>
  );
}
