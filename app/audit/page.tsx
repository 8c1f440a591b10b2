import type { Metadata } from "next";
import { Suspense } from "react";
import { auditFilter, auditQuery } from "../../components/access/audit-filter.ts";
import { AuditPage } from "../../components/access/audit-page.tsx";
import { Restricted } from "../../components/access/forbidden.tsx";
import { ListSkeleton } from "../../components/list/list-skeleton.tsx";
import { AuditQuery, allows, wholeMesh } from "../../server/contract/index.ts";
import { readAudit } from "../../server/next.ts";
import { getTranslations } from "../intl.ts";
import { getSession } from "../session.ts";
import { settle } from "../settle.ts";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("audit.title") });

const need = { role: "administrator", namespace: wholeMesh } as const;

export default async function Audit(props: { searchParams: Promise<Record<string, string | string[] | undefined>> }) {
  const t = await getTranslations();
  const params = await props.searchParams;
  const filter = auditFilter((name) => [params[name]].flat().at(0));
  const { data } = AuditQuery.safeParse(auditQuery(filter));
  const session = await getSession();
  // Nothing of it is read for anybody else.
  const may = session !== null && allows(session.grants, need);
  return (
    <Restricted need={need} title={t("audit.title")}>
      {may && (
        <Suspense fallback={<ListSkeleton rows={8} columns={4} />}>
          {/* Of a filter that makes no sense the API says so. */}
          <AuditPage initial={data ? settle(readAudit(data)) : Promise.resolve(undefined)} initialFilter={filter} />
        </Suspense>
      )}
    </Restricted>
  );
}
