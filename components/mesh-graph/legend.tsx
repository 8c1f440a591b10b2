"use client";
import { useComputedColorScheme } from "@mantine/core";
import { useEffect, useRef } from "react";
import { useTranslations } from "use-intl";
import { Badge } from "../../server/contract/index.ts";
import { HealthMark } from "../ui/health-mark.tsx";
import { paintBadge } from "./paint-badge.ts";
import { readPalette } from "./palette.ts";
import styles from "./topology.module.css";

const healths = ["healthy", "degraded", "failing", "idle"] as const;

/** What marks, sizes and lines of the graph say. */
export function Legend() {
  const t = useTranslations("topology");
  const names = useTranslations("ui.health");
  return (
    <div className={styles.legend} data-testid="legend-list" tabIndex={-1} data-autofocus>
      <ul>
        {healths.map((health) => (
          <li key={health}>
            <HealthMark health={health} silent /> {names(health)}
          </li>
        ))}
      </ul>
      <ul>
        {Badge.options
          .filter((badge) => badge !== "gateway")
          .map((badge) => (
            <li key={badge}>
              <BadgeMark badge={badge} />
              <span>
                <b>{t(`badge-${badge}`)}</b> {t(`badge-says-${badge}`)}
              </span>
            </li>
          ))}
      </ul>
      <p>{t("legend-sizes")}</p>
    </div>
  );
}

const side = 26;

/** As it is on the graph. */
function BadgeMark({ badge }: { badge: Badge }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const scheme = useComputedColorScheme("dark");
  // biome-ignore lint/correctness/useExhaustiveDependencies: with the colour scheme the tokens change
  useEffect(() => {
    const element = canvas.current;
    const ctx = element?.getContext("2d");
    if (!element || !ctx) return;
    const dpr = window.devicePixelRatio || 1;
    [element.width, element.height] = [side * dpr, side * dpr];
    ctx.scale(dpr, dpr);
    paintBadge(ctx, badge, side / 2, side / 2, readPalette(element));
  }, [badge, scheme]);
  return <canvas ref={canvas} style={{ width: side, height: side, flex: "none" }} aria-hidden />;
}
