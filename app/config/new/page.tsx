import type { Metadata } from "next";
import { NewObjectPage } from "../../../components/config/new-object-page.tsx";
import { getTranslations } from "../../intl.ts";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("config.new") });

export default async function NewObject(props: { searchParams: Promise<{ begin?: string }> }) {
  const { begin } = await props.searchParams;
  return <NewObjectPage begin={begin === "alert" ? begin : undefined} />;
}
