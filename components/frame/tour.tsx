"use client";
import { Button, CloseButton } from "@mantine/core";
import { type CSSProperties, useEffect, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import { remember } from "../lib/preferences.ts";
import styles from "./tour.module.css";

/** What is pointed at, by its `data-tour`. */
const steps = ["navigation", "palette", "fleet", "live", "user"] as const;

/** Offered once: a card in the corner, that is in nobody's way, and then one place after another. */
export function Tour({ begun, onClose }: { begun: boolean; onClose: () => void }) {
  const t = useTranslations("tour");
  const [index, setIndex] = useState(begun ? 0 : -1);
  const place = usePlace(steps[index]);
  const card = useRef<HTMLElement>(null);
  const close = () => {
    remember("tour", "seen");
    onClose();
  };
  // Who asked for it reads on from here.
  useEffect(() => {
    if (index >= 0) card.current?.focus();
  }, [index]);
  const step = steps[index];
  return (
    <>
      {place && <div className={styles.ring} style={ringAt(place)} aria-hidden />}
      <aside
        ref={card}
        tabIndex={-1}
        className={styles.card}
        data-begun={step !== undefined || undefined}
        aria-label={t("label")}
        style={place ? cardAt(place) : undefined}
        onKeyDown={(event) => event.key === "Escape" && close()}
        data-testid="tour"
      >
        <h2>{step ? t(step) : t("welcome")}</h2>
        <p>{step ? t(`says-${step}`) : t("welcome-text")}</p>
        <footer>
          {step && <span className="muted num">{t("step", { step: index + 1, count: steps.length })}</span>}
          <span className={styles.gap} />
          {!step && (
            <Button size="compact-sm" variant="subtle" color="gray" onClick={close}>
              {t("skip")}
            </Button>
          )}
          {step && index < steps.length - 1 && (
            <CloseButton
              className={styles.end}
              size="sm"
              onClick={close}
              aria-label={t("end")}
              data-testid="tour-end"
            />
          )}
          {index > 0 && (
            <Button size="compact-sm" variant="subtle" color="gray" onClick={() => setIndex(index - 1)}>
              {t("previous")}
            </Button>
          )}
          <Button
            size="compact-sm"
            variant="filled"
            onClick={index === steps.length - 1 ? close : () => setIndex(index + 1)}
            data-testid="tour-next"
          >
            {t(!step ? "begin" : index === steps.length - 1 ? "done" : "next")}
          </Button>
        </footer>
      </aside>
    </>
  );
}

/** Where the place of a step is, by the window; null for the card's own corner. */
function usePlace(step: (typeof steps)[number] | undefined): DOMRect | null {
  const [place, setPlace] = useState<DOMRect | null>(null);
  useEffect(() => {
    const look = () =>
      setPlace(
        step === undefined ? null : (document.querySelector(`[data-tour="${step}"]`)?.getBoundingClientRect() ?? null),
      );
    look();
    window.addEventListener("resize", look);
    return () => window.removeEventListener("resize", look);
  }, [step]);
  return place;
}

const ringAt = ({ left, top, width, height }: DOMRect): CSSProperties => ({
  left: left - 4,
  top: top - 4,
  width: width + 8,
  height: height + 8,
});

const cardWidth = 320;
const margin = 12;

/** Below what is pointed at, or beside it where that is as high as the window, or above where it stands at the bottom. */
function cardAt({ left, right, top, bottom, width, height }: DOMRect): CSSProperties {
  const { innerWidth, innerHeight } = window;
  const room = Math.max(margin, innerWidth - Math.min(cardWidth, innerWidth - 2 * margin) - margin);
  if (height > innerHeight / 2) return { left: Math.min(right + margin, room), top: top + margin, bottom: "auto" };
  const middle = Math.max(margin, Math.min(left + width / 2 - cardWidth / 2, room));
  if (top > innerHeight / 2) return { left: middle, bottom: innerHeight - top + margin };
  return { left: middle, top: bottom + margin, bottom: "auto" };
}
