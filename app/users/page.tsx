import type { Metadata } from "next";
import { Restricted } from "../../components/access/forbidden.tsx";
import { UsersPage } from "../../components/access/users-page.tsx";
import { getTranslations } from "../intl.ts";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("users.title") });

export default async function Users() {
  const t = await getTranslations();
  return (
    <Restricted need={{ role: "administrator" }} title={t("users.title")}>
      <UsersPage />
    </Restricted>
  );
}
