"use client";
import { Menu } from "@mantine/core";
import { IconPlayerPause, IconPlayerPlay, IconPlayerSkipBack } from "@tabler/icons-react";
import { useEffect, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import { PillButton } from "../ui/pill.tsx";
import { nextMoment, type Span } from "./replay.ts";
import styles from "./time-strip.module.css";
import { speeds, type TopologyState } from "./use-topology-state.ts";

const tickMs = 1000;

/** Plays the strip's time: from its start or from the moment that is shown, as fast as is chosen, until its end. */
export function ReplayControls({ span, state }: { span: Span; state: TopologyState }) {
  const t = useTranslations("strip");
  const { playing, setPlaying } = usePlaying(span, state);
  const Icon = playing ? IconPlayerPause : IconPlayerPlay;
  const start = () => state.set({ at: String(firstMoment(span)) });
  return (
    <span className={styles.controls}>
      <PillButton onClick={start} aria-label={t("start")} title={t("start")} data-testid="replay-start">
        <IconPlayerSkipBack size={14} aria-hidden />
      </PillButton>
      <PillButton
        onClick={() => {
          if (!playing && state.moment === null) start();
          setPlaying(!playing);
        }}
        aria-label={t(playing ? "pause" : "play")}
        title={t(playing ? "pause" : "play")}
        data-testid="replay-play"
      >
        <Icon size={14} aria-hidden />
      </PillButton>
      <Menu position="top-start">
        <Menu.Target>
          <PillButton aria-label={t("speed", { speed: state.speed })} data-testid="replay-speed">
            {state.speed}×
          </PillButton>
        </Menu.Target>
        <Menu.Dropdown>
          {speeds.map((speed) => (
            <Menu.Item
              key={speed}
              aria-current={speed === state.speed || undefined}
              onClick={() => state.set({ speed: speed === 1 ? null : String(speed) })}
              data-testid={`speed-${speed}`}
            >
              {t("speed", { speed })}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </span>
  );
}

const firstMoment = ({ from, stepMs }: Span): number => from + stepMs;

function usePlaying(span: Span, state: TopologyState) {
  const [playing, setPlaying] = useState(false);
  const latest = useRef({ span, state });
  latest.current = { span, state };
  useEffect(() => {
    if (!playing) return;
    const timer = setInterval(() => {
      const { span, state } = latest.current;
      const next = nextMoment(state.moment, state.speed, span);
      state.set({ at: next === null ? null : String(next) });
      if (next === null) setPlaying(false);
    }, tickMs);
    return () => clearInterval(timer);
  }, [playing]);
  // Whoever goes back to live has seen enough.
  const stopped = playing && state.moment === null;
  useEffect(() => {
    if (!stopped) return;
    const timer = setTimeout(() => setPlaying(false), tickMs);
    return () => clearTimeout(timer);
  }, [stopped]);
  return { playing, setPlaying };
}
