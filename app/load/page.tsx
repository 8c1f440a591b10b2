import type { Metadata } from "next";
import { Suspense } from "react";
import { LoadPage } from "../../components/load-test/load-page.tsx";
import { getDashboard } from "../../server/next.ts";
import { getTranslations } from "../intl.ts";
import { settle } from "../settle.ts";
import Loading from "./loading.tsx";

export const generateMetadata = async (): Promise<Metadata> => ({
  title: (await getTranslations())("load-test.title"),
});

export default async function Load() {
  const dashboard = await getDashboard();
  return (
    <Suspense fallback={<Loading />}>
      <LoadPage tests={settle(dashboard.loadTests())} targets={settle(dashboard.loadTargets())} />
    </Suspense>
  );
}
