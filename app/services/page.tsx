import type { Metadata } from "next";
import { Suspense } from "react";
import { ServiceListPage } from "../../components/services/service-list-page.tsx";
import { parseWindow } from "../../components/ui/time-window.ts";
import { getDashboard } from "../../server/next.ts";
import { getTranslations } from "../intl.ts";
import { settle } from "../settle.ts";
import Loading from "./loading.tsx";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("services.title") });

export default async function ServicesPage({ searchParams }: { searchParams: Promise<{ window?: string }> }) {
  const windowSec = parseWindow((await searchParams).window);
  const services = settle((await getDashboard()).services({ windowSec }));
  return (
    <Suspense fallback={<Loading />}>
      <ServiceListPage initial={services} initialWindowSec={windowSec} />
    </Suspense>
  );
}
