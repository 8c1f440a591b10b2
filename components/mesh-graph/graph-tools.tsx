"use client";
import { Menu, Popover, Tooltip } from "@mantine/core";
import {
  IconArrowsMaximize,
  IconDownload,
  IconInfoCircle,
  IconLayoutDistributeVertical,
  IconMinus,
  IconPlus,
} from "@tabler/icons-react";
import type { RefObject } from "react";
import { useTranslations } from "use-intl";
import type { Graph } from "../../server/contract/index.ts";
import { Legend } from "./legend.tsx";
import type { MeshCanvasHandle } from "./mesh-canvas.tsx";
import styles from "./topology.module.css";

export interface GraphToolsProps {
  canvas: RefObject<MeshCanvasHandle | null>;
  caption: () => string;
  /** What is shown. */
  graph: Pick<Graph, "nodes" | "edges">;
}

/** What can be done to the view of the graph, not to the mesh. */
export function GraphTools({ canvas, caption, graph }: GraphToolsProps) {
  const t = useTranslations("topology");
  const tools = [
    { name: t("zoom-in"), icon: IconPlus, run: () => canvas.current?.zoomBy(4 / 3) },
    { name: t("zoom-out"), icon: IconMinus, run: () => canvas.current?.zoomBy(3 / 4) },
    { name: t("fit"), icon: IconArrowsMaximize, run: () => canvas.current?.fit() },
    { name: t("tidy"), icon: IconLayoutDistributeVertical, run: () => canvas.current?.tidy() },
  ];
  const svg = () => {
    const text = canvas.current?.exportSvg(caption());
    if (text) download(new Blob([text], { type: "image/svg+xml" }), "svg");
  };
  const json = () => download(new Blob([JSON.stringify(graph, null, 1)], { type: "application/json" }), "json");
  return (
    <div className={styles.tools}>
      {tools.map(({ name, icon: Icon, run }) => (
        <Tooltip key={name} label={name} position="right">
          <button type="button" aria-label={name} onClick={run}>
            <Icon size={15} stroke={1.7} aria-hidden />
          </button>
        </Tooltip>
      ))}
      <Menu position="right-end">
        <Menu.Target>
          <button type="button" aria-label={t("export")} title={t("export")} data-testid="export">
            <IconDownload size={15} stroke={1.7} aria-hidden />
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            onClick={() => void canvas.current?.exportPng(caption()).then((blob) => blob && download(blob, "png"))}
            data-testid="export-png"
          >
            {t("export-as", { format: "PNG" })}
          </Menu.Item>
          <Menu.Item onClick={svg} data-testid="export-svg">
            {t("export-as", { format: "SVG" })}
          </Menu.Item>
          <Menu.Item onClick={json} data-testid="export-json">
            {t("export-as", { format: "JSON" })}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Popover position="right-end" width={290} trapFocus>
        <Popover.Target>
          <button type="button" aria-label={t("legend")} title={t("legend")} data-testid="legend">
            <IconInfoCircle size={15} stroke={1.7} aria-hidden />
          </button>
        </Popover.Target>
        <Popover.Dropdown aria-label={t("legend")}>
          <Legend />
        </Popover.Dropdown>
      </Popover>
    </div>
  );
}

function download(blob: Blob, ending: "png" | "svg" | "json"): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `topology-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.${ending}`;
  link.click();
  URL.revokeObjectURL(link.href);
}
