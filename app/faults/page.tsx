import type { Metadata } from "next";
import { Suspense } from "react";
import { FaultsPage } from "../../components/fault/faults-page.tsx";
import { getDashboard } from "../../server/next.ts";
import { getTranslations } from "../intl.ts";
import { settle } from "../settle.ts";
import Loading from "./loading.tsx";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("faults.title") });

export default async function Faults() {
  const dashboard = await getDashboard();
  return (
    <Suspense fallback={<Loading />}>
      <FaultsPage faults={settle(dashboard.faults())} changes={settle(dashboard.changes({ sinceMs: 0, limit: 200 }))} />
    </Suspense>
  );
}
