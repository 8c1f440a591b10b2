"use client";
import { useLocale, useTranslations } from "use-intl";
import type { CoverageReport } from "../../server/contract/index.ts";
import { useUrlState } from "../lib/url-state.ts";
import { formatNumber, quantityText } from "../ui/format.ts";
import { HealthMark } from "../ui/health-mark.tsx";
import { cellMarks, cellState, type GridCell, gridOf, isSeen } from "./coverage-grid.ts";
import styles from "./security.module.css";

/** Callers down, called across. A cell that was called opens what is known of it. */
export function CoverageMatrix({ report, chosen }: { report: CoverageReport; chosen: string | null }) {
  const t = useTranslations("security");
  const grid = gridOf(report);
  const short = (app: string) => (app === "" ? t("unknown-caller") : (app.split("/", 2)[1] ?? app));
  return (
    <div className={styles.wideOnly}>
      <div className={styles.scroll}>
        <table className={styles.matrix} data-testid="coverage-grid">
          <caption className="visually-hidden">{t("coverage")}</caption>
          <thead>
            <tr>
              <th scope="col" className={styles.corner}>
                {t("matrix-corner")}
              </th>
              {grid.called.map((app) => (
                <th key={app} scope="col" title={app}>
                  {short(app)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {grid.callers.map((caller) => (
              <tr key={caller}>
                <th scope="row" title={caller}>
                  {short(caller)}
                </th>
                {grid.called.map((called) => (
                  <td key={called} data-self={caller === called || undefined}>
                    <Cell cell={grid.cell(caller, called)} pair={`${caller}>${called}`} chosen={chosen} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <ul className={styles.legend} aria-label={t("legend")}>
        {(["mutual", "plain", "outside", "refused"] as const).map((state) => (
          <li key={state}>
            <HealthMark health={cellMarks[state]} silent /> {t(`cell-${state}`)}
          </li>
        ))}
        <li>
          <i className={styles.may} data-reach="all" aria-hidden /> {t("cell-idle-all")}
        </li>
        <li>
          <i className={styles.may} data-reach="some" aria-hidden /> {t("cell-idle-some")}
        </li>
        <li>{t(report.idleLeftOut ? "cell-idle-left-out" : "cell-none")}</li>
      </ul>
    </div>
  );
}

function Cell({ cell, pair, chosen }: { cell: GridCell | undefined; pair: string; chosen: string | null }) {
  const t = useTranslations("security");
  const locale = useLocale();
  const url = useUrlState();
  if (cell === undefined) return null;
  if (!isSeen(cell)) {
    const says = t(cell.reach === "all" ? "cell-idle-all" : "cell-idle-some");
    return <i className={styles.may} data-reach={cell.reach} role="img" aria-label={says} title={says} />;
  }
  const state = cellState(cell);
  return (
    <button
      type="button"
      className={styles.cell}
      data-state={state}
      data-pair={pair}
      aria-pressed={pair === chosen}
      aria-label={t("cell-label", { calls: cell.calls, state: t(`cell-${state}`) })}
      onClick={() => url.set({ pair: pair === chosen ? null : pair })}
    >
      <HealthMark health={cellMarks[state]} silent />
      <span className="num">{quantityText(formatNumber(cell.calls, locale))}</span>
    </button>
  );
}
