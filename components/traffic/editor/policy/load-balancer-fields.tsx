"use client";
import { Select } from "@mantine/core";
import { useTranslations } from "use-intl";
import { type Path, valueAt, type YamlEdit } from "../../../config/document/yaml-edit.ts";
import { ChoiceField } from "../fields/choice-field.tsx";
import styles from "../fields/fields.module.css";
import { NumberField } from "../fields/number-field.tsx";
import { OtherFields } from "../fields/other-fields.tsx";
import { TextField } from "../fields/text-field.tsx";
import { useForm } from "../form-context.ts";

const simple = ["LEAST_REQUEST", "ROUND_ROBIN", "RANDOM", "PASSTHROUGH"];
const keys = {
  httpHeaderName: "x-user",
  httpCookie: { name: "user", ttl: "0s" },
  useSourceIp: true,
  httpQueryParameterName: "user",
} as const;
type HashKey = keyof typeof keys;
const keyNames = Object.keys(keys) as HashKey[];

/** How an endpoint is chosen: by load, or always the same for alike requests. */
export function LoadBalancerFields({ path }: { path: Path }) {
  const t = useTranslations("form");
  const { object, edit, disabled } = useForm();
  const hash = [...path, "consistentHash"];
  const key = keyNames.find((name) => valueAt(object, [...hash, name]) !== undefined);
  const choose = (next: string | null) =>
    edit([
      { op: "set", path: hash, value: undefined },
      ...(next === null
        ? []
        : [
            { op: "set" as const, path: [...path, "simple"], value: undefined },
            { op: "set" as const, path: [...hash, next], value: keys[next as HashKey] },
          ]),
    ]);
  return (
    <div className={styles.grid}>
      <ChoiceField path={[...path, "simple"]} label={t("simple")} choices={simple} placeholder="LEAST_REQUEST" />
      <Select
        label={t("hash-by")}
        data={keyNames.map((value) => ({ value, label: t(`hash-${value}`) }))}
        value={key ?? null}
        onChange={choose}
        placeholder={t("none")}
        clearable
        disabled={disabled}
        data-testid="hash-by"
      />
      {(key === "httpHeaderName" || key === "httpQueryParameterName") && (
        <TextField path={[...hash, key]} label={t(`hash-${key}`)} required />
      )}
      {key === "httpCookie" && (
        <>
          <TextField path={[...hash, "httpCookie", "name"]} label={t("cookie-name")} required />
          <TextField path={[...hash, "httpCookie", "ttl"]} label={t("cookie-ttl")} placeholder={t("none")} />
          <TextField path={[...hash, "httpCookie", "path"]} label={t("cookie-path")} placeholder={t("none")} />
        </>
      )}
      {key !== undefined && <HashTable path={hash} />}
      <TextField path={[...path, "warmup", "duration"]} label={t("warmup")} placeholder={t("none")} />
      <NumberField
        path={[...path, "warmup", "minimumPercent"]}
        label={t("warmup-from")}
        max={100}
        suffix=" %"
        placeholder="10 %"
      />
      <NumberField
        path={[...path, "warmup", "aggression"]}
        label={t("warmup-aggression")}
        decimals
        placeholder={t("warmup-evenly")}
      />
      <OtherFields path={path} known={known} />
      <OtherFields path={hash} known={knownOfHash} />
      <OtherFields path={[...hash, "httpCookie"]} known={["name", "ttl", "path"]} />
    </div>
  );
}

const known = ["simple", "consistentHash", "localityLbSetting", "warmup"];
const knownOfHash = [...keyNames, "ringHash", "maglev"];

const tables = {
  ringHash: { field: "minimumRingSize", size: 1024 },
  maglev: { field: "tableSize", size: 65_537 },
} as const;
type Table = keyof typeof tables;
const tableNames = Object.keys(tables) as Table[];

/** How hashes are laid out on endpoints: a ring, or Maglev's table, and how fine. */
function HashTable({ path }: { path: Path }) {
  const t = useTranslations("form");
  const { object, edit, disabled } = useForm();
  const table = tableNames.find((name) => valueAt(object, [...path, name]) !== undefined);
  const choose = (next: string | null) =>
    edit([
      ...tableNames.map((name): YamlEdit => ({ op: "set", path: [...path, name], value: undefined })),
      ...tableNames
        .filter((name) => name === next)
        .map((name): YamlEdit => ({ op: "set", path: [...path, name, tables[name].field], value: tables[name].size })),
    ]);
  return (
    <>
      <Select
        label={t("hash-table")}
        data={tableNames.map((value) => ({ value, label: t(`hash-table-${value}`) }))}
        value={table ?? null}
        onChange={choose}
        placeholder={t("hash-table-ringHash")}
        clearable
        disabled={disabled}
        data-testid="hash-table"
      />
      {table && <NumberField path={[...path, table, tables[table].field]} label={t(`hash-size-${table}`)} min={1} />}
    </>
  );
}
