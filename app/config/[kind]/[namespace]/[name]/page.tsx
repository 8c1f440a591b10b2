import type { Metadata } from "next";
import { Suspense } from "react";
import { ObjectPage } from "../../../../../components/config/object-page.tsx";
import { getDashboard } from "../../../../../server/next.ts";
import { settle } from "../../../../settle.ts";
import Loading from "../../../loading.tsx";

interface Props {
  params: Promise<{ kind: string; namespace: string; name: string }>;
}

const decoded = async ({ params }: Props) => {
  const { kind, namespace, name } = await params;
  const space = decodeURIComponent(namespace);
  return { kind: decodeURIComponent(kind), namespace: space === "-" ? "" : space, name: decodeURIComponent(name) };
};

export const generateMetadata = async (props: Props): Promise<Metadata> => ({ title: (await decoded(props)).name });

export default async function ConfigObject(props: Props) {
  const object = await decoded(props);
  const initial = settle((await getDashboard()).object(object));
  return (
    <Suspense fallback={<Loading />}>
      <ObjectPage key={Object.values(object).join("/")} object={object} initial={initial} />
    </Suspense>
  );
}
