import type { Metadata } from "next";
import { NewObjectPage } from "../../../components/config/new-object-page.tsx";
import { getDashboard } from "../../../server/next.ts";
import { getTranslations } from "../../intl.ts";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("config.new") });

interface Query {
  begin?: string;
  namespace?: string;
  workload?: string;
}

export default async function NewObject(props: { searchParams: Promise<Query> }) {
  const { begin, namespace = "", workload = "" } = await props.searchParams;
  const prepared = begin === "strict" ? await strictYaml({ namespace, workload }) : undefined;
  return <NewObjectPage begin={begin === "alert" ? begin : undefined} prepared={prepared} />;
}

/** The PeerAuthentication that makes a workload, a namespace or the mesh STRICT; undefined where nobody can say which that is. */
async function strictYaml({
  namespace,
  workload,
}: {
  namespace: string;
  workload: string;
}): Promise<string | undefined> {
  const target = { ...(namespace && { namespace }), ...(workload && { workload }) };
  const preview = await (await getDashboard()).strictPreview({ ...target, window: "1" }).catch(() => undefined);
  return preview?.policy.yaml;
}
