"use client";
import { Autocomplete } from "@mantine/core";
import { useTranslations } from "use-intl";
import type { Path } from "../../../config/document/yaml-edit.ts";
import { useField, useForm } from "../form-context.ts";
import { testIdOf } from "./field-props.ts";
import { NumberField } from "./number-field.tsx";

/** Where requests go: a host, and of it a subset and a port. */
export function DestinationFields({ path }: { path: Path }) {
  const t = useTranslations("form");
  const { hosts, subsetsOf } = useForm();
  const host = useField([...path, "host"]);
  const subset = useField([...path, "subset"]);
  return (
    <>
      <Autocomplete
        label={t("host")}
        data={[...hosts]}
        limit={12}
        value={String(host.value ?? "")}
        onChange={(value) => host.set(value)}
        error={host.error}
        disabled={host.disabled}
        data-testid={testIdOf([...path, "host"])}
      />
      <Autocomplete
        label={t("subset")}
        data={[...subsetsOf(String(host.value ?? ""))]}
        value={String(subset.value ?? "")}
        onChange={(value) => subset.set(value === "" ? undefined : value)}
        error={subset.error}
        disabled={subset.disabled}
        placeholder={t("subset-none")}
        data-testid={testIdOf([...path, "subset"])}
      />
      <NumberField
        path={[...path, "port", "number"]}
        label={t("port")}
        min={1}
        max={65_535}
        placeholder={t("port-none")}
      />
    </>
  );
}
