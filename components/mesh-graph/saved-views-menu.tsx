"use client";
import { ActionIcon, Button, Menu, Modal, TextInput } from "@mantine/core";
import { IconBookmark, IconTrash } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import { topologyHref } from "../lib/links.ts";
import { PillButton } from "../ui/pill.tsx";
import { type ViewKind, viewKindOf } from "./graph-view-kinds.ts";
import { keepPlaces, type PlacesOf, placesOf } from "./places.ts";
import { deleteView, readViews, type SavedView, saveView, viewQuery } from "./saved-views.ts";
import styles from "./topology.module.css";

/** Ways to look at the graph that were kept, with what stood where. */
export function SavedViewsMenu({ kind }: { kind: ViewKind }) {
  const t = useTranslations("topology");
  const [views, setViews] = useState<SavedView[]>([]);
  const [naming, setNaming] = useState(false);
  const refresh = () => setViews(readViews(localStorage));
  const open = (view: SavedView) => {
    keepPlaces(localStorage, placed(viewKindOf(new URLSearchParams(view.query).get("by"))), view.places);
    // Anew, so that everything is laid out from the kept places.
    window.location.assign(`${topologyHref}?${view.query}`);
  };
  return (
    <>
      <Menu position="bottom-end" width={250} onOpen={refresh}>
        <Menu.Target>
          <PillButton className={styles.views} data-testid="saved-views">
            <IconBookmark size={14} aria-hidden />
            {t("views")}
          </PillButton>
        </Menu.Target>
        <Menu.Dropdown>
          {views.length === 0 && <Menu.Label>{t("views-none")}</Menu.Label>}
          {views.map((view) => (
            <div key={view.name} className={styles.view}>
              <Menu.Item onClick={() => open(view)} data-testid={`view-${view.name}`}>
                {view.name}
              </Menu.Item>
              <ActionIcon
                variant="subtle"
                color="gray"
                size="sm"
                aria-label={t("view-delete", { name: view.name })}
                onClick={() => {
                  deleteView(localStorage, view.name);
                  refresh();
                }}
              >
                <IconTrash size={14} aria-hidden />
              </ActionIcon>
            </div>
          ))}
          <Menu.Divider />
          <Menu.Item onClick={() => setNaming(true)} data-testid="view-save">
            {t("view-save")}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {naming && <NameDialog kind={kind} onClose={() => setNaming(false)} />}
    </>
  );
}

const placed = (kind: ViewKind): PlacesOf => ({ kind, direction: "right" });

function NameDialog({ kind, onClose }: { kind: ViewKind; onClose: () => void }) {
  const t = useTranslations("topology");
  const common = useTranslations("ui");
  const [failed, setFailed] = useState(false);
  const save = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get("name") ?? "").trim();
    if (name === "") return;
    const view = { name, query: viewQuery(window.location.search), places: placesOf(localStorage, placed(kind)) };
    if (saveView(localStorage, view)) onClose();
    else setFailed(true);
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("view-save")}
      size={380}
      closeButtonProps={{ "aria-label": common("close") }}
    >
      <form className={styles.naming} onSubmit={save}>
        <TextInput
          name="name"
          label={t("view-name")}
          maxLength={60}
          autoComplete="off"
          data-autofocus
          error={failed ? t("view-unsaved") : undefined}
          data-testid="view-name"
        />
        <Button type="submit" variant="filled">
          {t("view-keep")}
        </Button>
      </form>
    </Modal>
  );
}
