"use client";
import { ActionIcon, Button, Menu } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { ApiError, DesignSummary } from "../../server/contract/index.ts";
import { FieldErrors } from "../config/field-errors.tsx";
import { sideText } from "../history/sides.ts";
import type { MeshPlan } from "../history/use-mesh-plan.tsx";
import { toApiError } from "../lib/api.ts";
import { objectHref } from "../lib/links.ts";
import { useMay } from "../lib/session.tsx";
import { useUrlState } from "../lib/url-state.ts";
import { designPath, removeDesign } from "../lib/writes.ts";
import { HealthMark } from "../ui/health-mark.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { Moment } from "../ui/quantity.tsx";
import styles from "./designs.module.css";

export interface DesignCardProps {
  design: DesignSummary;
  plan: MeshPlan;
  onReplace: () => void;
  onRemoved: () => void;
}

/** What one design is for, what is in it, how far the mesh is from it, and what can be done with it. */
export function DesignCard({ design, plan, onReplace, onRemoved }: DesignCardProps) {
  const t = useTranslations("designs");
  const { name, description, ready, createdAt, kinds, differs, lacks } = design;
  const may = useMay();
  const url = useUrlState();
  const [error, setError] = useState<ApiError | null>(null);
  const [armed, setArmed] = useState(false);
  const remove = () => {
    if (!armed) return setArmed(true);
    removeDesign(name).then(onRemoved, (cause: unknown) => setError(toApiError(cause)));
  };
  const isSo = differs + lacks === 0;
  const side = sideText({ kind: "design", design: name });
  const compare = (sides: { from?: string; to?: string }) => () => {
    url.set(sides, "push");
    // On a phone it stands below the whole catalogue.
    document.getElementById("compare")?.scrollIntoView({ block: "nearest" });
  };
  return (
    <li className={styles.design} data-design={name} data-so={isSo}>
      <div className={styles.text}>
        <h3>
          {ready ? (
            name
          ) : (
            <ObjectLink className="link" href={objectHref("Design", "", name)}>
              {name}
            </ObjectLink>
          )}{" "}
          <span className="muted">{createdAt === null ? t("ready") : <Moment ms={createdAt} />}</span>
        </h3>
        {description && <p>{ready ? t(`ready-${name as "strict-mutual-tls"}`) : description}</p>}
        <p className={styles.contents}>
          <HealthMark health={isSo ? "healthy" : "idle"} silent />{" "}
          {isSo ? t("in-force") : t("differs", { differs, lacks })}
          {kinds.map(({ kind, count }) => (
            <span key={kind} className="muted">
              {" · "}
              <span className={styles.kind}>{`${count} ${kind}`}</span>
            </span>
          ))}
        </p>
        {error && <FieldErrors error={error} />}
      </div>
      <div className={styles.actions}>
        {may("operator") && (
          <Button
            size="compact-sm"
            disabled={plan.busy || isSo}
            onClick={() => plan.applyDesign(name)}
            data-testid="apply-design"
          >
            {t("apply")}
          </Button>
        )}
        <Menu position="bottom-end" onClose={() => setArmed(false)}>
          <Menu.Target>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="sm"
              aria-label={t("more-of", { name })}
              data-testid="design-menu"
            >
              <IconDots size={15} aria-hidden />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={compare({ from: "now", to: side })} data-testid="compare-design">
              {t("compare-now")}
            </Menu.Item>
            <Menu.Item onClick={compare({ from: side })}>{t("as-from")}</Menu.Item>
            <Menu.Item onClick={compare({ to: side })}>{t("as-to")}</Menu.Item>
            <Menu.Item component="a" href={`${designPath(name)}?download`} download>
              {t("download")}
            </Menu.Item>
            {may("operator", "*") && (
              <>
                <Menu.Divider />
                <Menu.Item onClick={onReplace}>{t("replace")}</Menu.Item>
                {!ready && (
                  <Menu.Item color="red" closeMenuOnClick={armed} onClick={remove} data-testid="remove-design">
                    {t(armed ? "remove-confirm" : "remove", { name })}
                  </Menu.Item>
                )}
              </>
            )}
          </Menu.Dropdown>
        </Menu>
      </div>
    </li>
  );
}
