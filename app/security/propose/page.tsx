import type { Metadata } from "next";
import { ProposePage } from "../../../components/advice/propose-page.tsx";
import { getTranslations } from "../../intl.ts";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("advice.title") });

export default function Propose() {
  return <ProposePage />;
}
