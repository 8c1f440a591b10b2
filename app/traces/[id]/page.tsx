import type { Metadata } from "next";
import { Suspense } from "react";
import { TracePage } from "../../../components/trace/trace-page.tsx";
import { getDashboard } from "../../../server/next.ts";
import { getTranslations } from "../../intl.ts";
import { settle } from "../../settle.ts";
import Loading from "./loading.tsx";

interface Props {
  params: Promise<{ id: string }>;
}

const idOf = async ({ params }: Props) => decodeURIComponent((await params).id).toLowerCase();

export const generateMetadata = async (props: Props): Promise<Metadata> => ({
  title: (await getTranslations())("traces.trace", { id: (await idOf(props)).slice(0, 8) }),
});

export default async function OneTrace(props: Props) {
  const id = await idOf(props);
  const dashboard = await getDashboard();
  return (
    <Suspense fallback={<Loading />}>
      <TracePage key={id} id={id} trace={settle(dashboard.trace(id))} />
    </Suspense>
  );
}
