"use client";
import { Tooltip } from "@mantine/core";
import {
  IconArrowsMaximize,
  IconDownload,
  IconLayoutDistributeVertical,
  IconMinus,
  IconPlus,
} from "@tabler/icons-react";
import type { RefObject } from "react";
import { useTranslations } from "use-intl";
import type { MeshCanvasHandle } from "./mesh-canvas.tsx";
import styles from "./topology.module.css";

/** What can be done to the view of the graph, not to the mesh. */
export function GraphTools({ canvas, caption }: { canvas: RefObject<MeshCanvasHandle | null>; caption: () => string }) {
  const t = useTranslations("topology");
  const tools = [
    { name: t("zoom-in"), icon: IconPlus, run: () => canvas.current?.zoomBy(4 / 3) },
    { name: t("zoom-out"), icon: IconMinus, run: () => canvas.current?.zoomBy(3 / 4) },
    { name: t("fit"), icon: IconArrowsMaximize, run: () => canvas.current?.fit() },
    { name: t("tidy"), icon: IconLayoutDistributeVertical, run: () => canvas.current?.tidy() },
    { name: t("export"), icon: IconDownload, run: () => void canvas.current?.exportPng(caption()).then(download) },
  ];
  return (
    <div className={styles.tools}>
      {tools.map(({ name, icon: Icon, run }) => (
        <Tooltip key={name} label={name} position="right">
          <button type="button" aria-label={name} onClick={run}>
            <Icon size={15} stroke={1.7} aria-hidden />
          </button>
        </Tooltip>
      ))}
    </div>
  );
}

function download(blob: Blob | null): void {
  if (!blob) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `topology-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.png`;
  link.click();
  URL.revokeObjectURL(link.href);
}
