"use client";
import type { ReactNode } from "react";
import type { Signals } from "../../server/contract/index.ts";
import { Change } from "./change.tsx";
import { changeOf } from "./earlier-values.ts";
import styles from "./metrics.module.css";

/** The same figures in an earlier time, by whatever they are of; undefined: nothing is compared. */
export type EarlierSignals = ReadonlyMap<string, Signals> | undefined;

export interface ComparedProps {
  now: Signals | undefined;
  /** Undefined: nothing is compared; null: it had no traffic then, or was not there. */
  before: Signals | null | undefined;
  of: (signals: Signals) => number | null;
  children: ReactNode;
}

/** A figure, and how it differs from the time that it is compared with. */
export const Compared = ({ now, before, of, children }: ComparedProps) =>
  before === undefined ? (
    children
  ) : (
    <span className={styles.compared}>
      {children}
      <span data-testid="delta">
        <Change of={changeOf(now && of(now), before && of(before))} />
      </span>
    </span>
  );
