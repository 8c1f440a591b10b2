import type { Metadata } from "next";
import { Suspense } from "react";
import { ServiceListPage } from "../../components/services/service-list-page.tsx";
import { askedFor, parseRange, type RangeQuery } from "../../components/ui/time-range.ts";
import { getDashboard } from "../../server/next.ts";
import { getTranslations } from "../intl.ts";
import { settle } from "../settle.ts";
import Loading from "./loading.tsx";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("services.title") });

export default async function ServicesPage({
  searchParams,
}: {
  searchParams: Promise<RangeQuery & { thresholds?: string }>;
}) {
  const query = await searchParams;
  const range = parseRange((name) => query[name]);
  const dashboard = await getDashboard();
  return (
    <Suspense fallback={<Loading />}>
      <ServiceListPage
        services={settle(dashboard.services(askedFor(range)))}
        saturation={settle(dashboard.saturation({}))}
        thresholds={query.thresholds === "edit" ? settle(dashboard.thresholds(undefined)) : null}
        initialRange={range}
      />
    </Suspense>
  );
}
