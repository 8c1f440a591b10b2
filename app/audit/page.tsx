import type { Metadata } from "next";
import { AuditPage } from "../../components/access/audit-page.tsx";
import { Restricted } from "../../components/access/forbidden.tsx";
import { getTranslations } from "../intl.ts";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("audit.title") });

export default async function Audit() {
  const t = await getTranslations();
  return (
    <Restricted need={{ role: "administrator", namespace: "*" }} title={t("audit.title")}>
      <AuditPage />
    </Restricted>
  );
}
