"use client";
import { ActionIcon, Button, NativeSelect, TextInput } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useTranslations } from "use-intl";
import { type Grant, type Role, roles, wholeMesh } from "../../server/contract/index.ts";
import styles from "./access.module.css";

export interface GrantsFieldProps {
  grants: readonly Grant[];
  onChange: (grants: Grant[]) => void;
}

/** Roles, each in the whole mesh or in one namespace. */
export function GrantsField({ grants, onChange }: GrantsFieldProps) {
  const t = useTranslations("users");
  const set = (index: number, change: Partial<Grant>) =>
    onChange(grants.map((grant, at) => (at === index ? { ...grant, ...change } : grant)));
  return (
    <fieldset className={styles.grants}>
      <legend>{t("roles")}</legend>
      {grants.map((grant, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line is what stands at its place
        <div key={index} className={styles.grant}>
          <NativeSelect
            aria-label={t("role")}
            value={grant.role}
            onChange={(event) => set(index, { role: event.currentTarget.value as Role })}
            data={roles.map((role) => ({ value: role, label: t(`role-${role}`) }))}
            data-testid="grant-role"
          />
          <TextInput
            aria-label={t("namespace")}
            placeholder={t("whole-mesh")}
            value={grant.namespace === wholeMesh ? "" : grant.namespace}
            onChange={(event) => set(index, { namespace: event.currentTarget.value.trim() || wholeMesh })}
            maxLength={63}
            data-testid="grant-namespace"
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={t("remove-role")}
            disabled={grants.length === 1}
            onClick={() => onChange(grants.filter((_, at) => at !== index))}
          >
            <IconX size={14} aria-hidden />
          </ActionIcon>
        </div>
      ))}
      <Button
        size="compact-xs"
        variant="default"
        leftSection={<IconPlus size={13} aria-hidden />}
        onClick={() => onChange([...grants, { role: "operator", namespace: "default" }])}
      >
        {t("add-role")}
      </Button>
    </fieldset>
  );
}

/** `operator in shop, viewer`. */
export function GrantsText({ grants }: { grants: readonly Grant[] }) {
  const t = useTranslations("users");
  const said = grants.map(({ role, namespace }) =>
    namespace === wholeMesh ? t(`role-${role}`) : t("role-in", { role: t(`role-${role}`), namespace }),
  );
  return <>{said.join(", ") || t("no-role")}</>;
}
