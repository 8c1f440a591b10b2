import type { Metadata } from "next";
import { NewObjectPage } from "../../../components/config/new-object-page.tsx";
import { getTranslations } from "../../intl.ts";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("config.new") });

export default function NewObject() {
  return <NewObjectPage />;
}
