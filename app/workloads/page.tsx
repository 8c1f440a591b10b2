import type { Metadata } from "next";
import { Suspense } from "react";
import { parseWindow } from "../../components/ui/time-window.ts";
import { WorkloadsPage } from "../../components/workloads/workloads-page.tsx";
import { getDashboard } from "../../server/next.ts";
import { getTranslations } from "../intl.ts";
import { settle } from "../settle.ts";
import Loading from "./loading.tsx";

export const generateMetadata = async (): Promise<Metadata> => ({
  title: (await getTranslations())("workloads.title"),
});

export default async function Workloads({ searchParams }: { searchParams: Promise<{ window?: string }> }) {
  const windowSec = parseWindow((await searchParams).window);
  const workloads = settle((await getDashboard()).workloads({ windowSec }));
  return (
    <Suspense fallback={<Loading />}>
      <WorkloadsPage initial={workloads} initialWindowSec={windowSec} />
    </Suspense>
  );
}
