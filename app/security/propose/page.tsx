import type { Metadata } from "next";
import { Suspense } from "react";
import { adviceAsked } from "../../../components/advice/advice-address.ts";
import { ProposePage } from "../../../components/advice/propose-page.tsx";
import { getDashboard } from "../../../server/next.ts";
import { getTranslations } from "../../intl.ts";
import { settle } from "../../settle.ts";
import Loading from "./loading.tsx";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("advice.title") });

export default async function Propose(props: { searchParams: Promise<Record<string, string | string[] | undefined>> }) {
  const params = await props.searchParams;
  const asked = adviceAsked((name) => [params[name]].flat().at(0));
  const dashboard = await getDashboard();
  return (
    <Suspense fallback={<Loading />}>
      <ProposePage
        initialQuery={asked && new URLSearchParams(asked.query).toString()}
        policies={asked?.show === "policy" ? settle(dashboard.policyAdvice(asked.query)) : null}
        scope={asked?.show === "scope" ? settle(dashboard.scopeAdvice(asked.query)) : null}
      />
    </Suspense>
  );
}
