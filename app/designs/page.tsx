import type { Metadata } from "next";
import { Suspense } from "react";
import { DesignsPage } from "../../components/designs/designs-page.tsx";
import { getDashboard } from "../../server/next.ts";
import { getTranslations } from "../intl.ts";
import { settle } from "../settle.ts";
import Loading from "./loading.tsx";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("designs.title") });

export default async function Designs() {
  const dashboard = await getDashboard();
  return (
    <Suspense fallback={<Loading />}>
      <DesignsPage initial={settle(dashboard.designs())} />
    </Suspense>
  );
}
