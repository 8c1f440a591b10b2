import { Page } from "../components/ui/page-header.tsx";
import { EmptyState } from "../components/ui/states.tsx";
import { getTranslations } from "./intl.ts";

export default async function NotFound() {
  const t = await getTranslations();
  return (
    <Page>
      <EmptyState
        title={t("error.not-found")}
        action={
          <a className="link" href="/overview">
            {t("error.to-overview")}
          </a>
        }
      >
        {t("error.not-found-text")}
      </EmptyState>
    </Page>
  );
}
