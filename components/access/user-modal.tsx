"use client";
import { Button, Modal, PasswordInput, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import type { Grant, User } from "../../server/contract/index.ts";
import { FieldErrors } from "../config/field-errors.tsx";
import { useSubmit } from "../lib/use-submit.ts";
import styles from "./access.module.css";
import { changeUser, createUser } from "./access-queries.ts";
import { GrantsField } from "./grants-field.tsx";

export interface UserModalProps {
  /** Undefined: a new one. */
  user: User | undefined;
  onClose: () => void;
}

const sameGrants = (a: readonly Grant[], b: readonly Grant[]): boolean => JSON.stringify(a) === JSON.stringify(b);

/** A person's name, roles and password. */
export function UserModal({ user, onClose }: UserModalProps) {
  const t = useTranslations("users");
  const common = useTranslations("ui");
  const client = useQueryClient();
  const [grants, setGrants] = useState<Grant[]>(user?.grants ?? [{ role: "viewer", namespace: "*" }]);
  const { error, busy, submit } = useSubmit();
  const save = async (given: FormData) => {
    const text = (name: string) => String(given.get(name) ?? "").trim();
    const password = String(given.get("password") ?? "");
    if (user === undefined) {
      const added = { name: text("name"), displayName: text("displayName"), grants };
      await createUser({ ...added, ...(password !== "" && { password }) });
    } else {
      // What did not change is not sent: whoever looks after some namespaces only may change roles there and no more.
      const displayName = text("displayName");
      await changeUser(user.name, {
        ...(displayName !== user.displayName && { displayName }),
        ...(!sameGrants(grants, user.grants) && { grants }),
        ...(password !== "" && { password }),
      });
    }
    void client.invalidateQueries({ queryKey: ["users"] });
    onClose();
  };
  const onSubmit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    void submit(() => save(given));
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={user ? t("edit-title", { name: user.name }) : t("new-title")}
      closeButtonProps={{ "aria-label": common("close") }}
    >
      <form className={styles.form} onSubmit={onSubmit}>
        {user === undefined && (
          <TextInput
            name="name"
            label={t("name")}
            description={t("name-hint")}
            required
            maxLength={64}
            data-autofocus
          />
        )}
        <TextInput name="displayName" label={t("display-name")} defaultValue={user?.displayName} maxLength={100} />
        {user?.fromProvider ? (
          <p className="muted">{t("from-provider")}</p>
        ) : (
          <GrantsField grants={grants} onChange={setGrants} />
        )}
        <PasswordInput
          name="password"
          label={t("new-password")}
          description={t("password-hint")}
          autoComplete="new-password"
          minLength={12}
          maxLength={256}
          visibilityToggleButtonProps={{ "aria-label": t("show-password") }}
        />
        {error && <FieldErrors error={error} />}
        <Button type="submit" variant="filled" loading={busy} data-testid="user-save">
          {user ? t("save", { name: user.name }) : t("add")}
        </Button>
      </form>
    </Modal>
  );
}
