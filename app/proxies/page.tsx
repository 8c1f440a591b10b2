import type { Metadata } from "next";
import { Suspense } from "react";
import { ProxiesPage } from "../../components/proxy-sync/proxies-page.tsx";
import { getDashboard } from "../../server/next.ts";
import { getTranslations } from "../intl.ts";
import { settle } from "../settle.ts";
import Loading from "./loading.tsx";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("proxies.title") });

export default async function Proxies() {
  const dashboard = await getDashboard();
  return (
    <Suspense fallback={<Loading />}>
      <ProxiesPage proxies={settle(dashboard.proxies())} pushes={settle(dashboard.pushHistory())} />
    </Suspense>
  );
}
