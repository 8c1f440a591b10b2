"use client";
import { ActionIcon, Menu } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { useTranslations } from "use-intl";
import type { Change, RestoreRequest } from "../../server/contract/index.ts";
import { useMay } from "../lib/session.tsx";
import { useUrlState } from "../lib/url-state.ts";

const objectsAtMost = 6;

/** What can be done with the mesh as a change left it, and as it was before. */
export function RevisionMenu({
  change,
  onRestore,
}: {
  change: Change;
  onRestore: (what: RestoreRequest, title: string) => void;
}) {
  const t = useTranslations("history");
  const url = useUrlState();
  const may = useMay();
  const { revision } = change;
  const objects = change.objects.filter(({ namespace }) => may("operator", namespace || "*"));
  const compare = (from: string, to: string) => () => url.set({ from, to }, "push");
  const restore = (at: number, object?: Change["objects"][number]) => () => {
    const { kind, namespace, name } = object ?? {};
    const what = object ? { kind, name, ...(namespace && { namespace }) } : {};
    onRestore(
      { revision: at, ...what },
      object
        ? t("restore-object-title", { object: `${kind} ${name}`, revision: at })
        : t("restore-title", { moment: t("revision", { revision: at }) }),
    );
  };
  return (
    <Menu position="bottom-end" width={330}>
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="sm"
          aria-label={t("more-of", { revision })}
          data-testid={`revision-menu-${revision}`}
        >
          <IconDots size={15} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={compare(`r${revision - 1}`, `r${revision}`)}>{t("show-change")}</Menu.Item>
        <Menu.Item onClick={compare(`r${revision}`, "now")}>{t("compare-now")}</Menu.Item>
        <Menu.Item onClick={() => url.set({ from: `r${revision}` })}>{t("as-from")}</Menu.Item>
        <Menu.Item onClick={() => url.set({ to: `r${revision}` })}>{t("as-to")}</Menu.Item>
        {objects.length > 0 && <Menu.Divider />}
        {objects.slice(0, objectsAtMost).map((object) => (
          <Menu.Item
            key={`${object.kind}/${object.namespace}/${object.name}`}
            onClick={restore(object.type === "DELETED" ? revision - 1 : revision, object)}
            data-testid="restore-object"
          >
            {t("restore-object", { object: `${object.kind} ${object.name}` })}
          </Menu.Item>
        ))}
        {may("operator", "*") && (
          <>
            <Menu.Item onClick={restore(revision)} data-testid="restore-mesh">
              {t("restore-mesh")}
            </Menu.Item>
            <Menu.Item onClick={restore(revision - 1)}>{t("restore-before")}</Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
