import type { Metadata } from "next";
import { SettingsPage } from "../../components/frame/settings-page.tsx";
import { getTranslations } from "../intl.ts";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("settings.title") });

export default function Settings() {
  return <SettingsPage />;
}
