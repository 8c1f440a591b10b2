import type { Metadata } from "next";
import { Suspense } from "react";
import { GatewaysPage } from "../../components/gateways/gateways-page.tsx";
import { getDashboard } from "../../server/next.ts";
import { getTranslations } from "../intl.ts";
import { settle } from "../settle.ts";
import Loading from "./loading.tsx";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("gateways.title") });

export default async function Gateways() {
  const gateways = settle((await getDashboard()).gateways());
  return (
    <Suspense fallback={<Loading />}>
      <GatewaysPage initial={gateways} />
    </Suspense>
  );
}
