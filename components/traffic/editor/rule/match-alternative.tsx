"use client";
import { Menu } from "@mantine/core";
import { useTranslations } from "use-intl";
import { type Path, valueAt } from "../../../config/document/yaml-edit.ts";
import { PillButton } from "../../../ui/pill.tsx";
import styles from "../fields/fields.module.css";
import { ListField } from "../fields/list-field.tsx";
import { MapField } from "../fields/map-field.tsx";
import { MatchInput } from "../fields/match-input.tsx";
import { NumberField } from "../fields/number-field.tsx";
import { OtherFields } from "../fields/other-fields.tsx";
import { RemoveButton } from "../fields/remove-button.tsx";
import { SwitchField } from "../fields/switch-field.tsx";
import { TextField } from "../fields/text-field.tsx";
import { useForm } from "../form-context.ts";
import { type RuleListName, ruleId } from "../rule-list.ts";

/** What a condition begins with when it is added. */
const beginnings = {
  uri: { prefix: "/" },
  method: { exact: "GET" },
  authority: { exact: "" },
  scheme: { exact: "https" },
  headers: { "x-preview": { exact: "true" } },
  withoutHeaders: { "x-internal": {} },
  queryParams: { debug: { exact: "true" } },
  port: 80,
  sourceLabels: { app: "" },
  sourceNamespace: "default",
  gateways: ["mesh"],
  name: "",
  sniHosts: ["www.example.com"],
  destinationSubnets: ["10.0.0.0/8"],
} as const;
type ConditionName = keyof typeof beginnings;
const ofConnections: readonly ConditionName[] = [
  "port",
  "sourceLabels",
  "sourceNamespace",
  "gateways",
  "destinationSubnets",
];
/** What rules of each list may ask of a request, or of a connection. */
const namesOf: Record<RuleListName, readonly ConditionName[]> = {
  http: (Object.keys(beginnings) as ConditionName[]).filter(
    (name) => name !== "sniHosts" && name !== "destinationSubnets",
  ),
  tls: ["sniHosts", ...ofConnections],
  tcp: ofConnections,
};
const maps = new Set<ConditionName>(["headers", "withoutHeaders", "queryParams", "sourceLabels"]);

/** Conditions that must all hold. */
export function MatchAlternative({ path, number, onRemove }: { path: Path; number: number; onRemove: () => void }) {
  const t = useTranslations("form");
  const { object, edit, disabled } = useForm();
  const names = namesOf[path[1] as RuleListName];
  const there = names.filter((name) => valueAt(object, [...path, name]) !== undefined);
  const id = `match-${ruleId(path)}-${number}`;
  return (
    <li className={styles.item} data-testid={id}>
      <header>
        <b>{number === 1 ? t("alternative-first") : t("alternative", { number })}</b>
        <RemoveButton label={t("remove", { what: t("alternative", { number }) })} onRemove={onRemove} />
      </header>
      {there.length === 0 && (
        <p className={styles.note}>{t(path[1] === "http" ? "no-condition" : "no-condition-connections")}</p>
      )}
      <div className={styles.items}>
        {there.map((name) => (
          <div key={name} className={maps.has(name) ? "" : styles.condition}>
            <Condition name={name} path={[...path, name]} />
            {/* A map goes with its last entry. */}
            {!maps.has(name) && (
              <RemoveButton
                label={t("remove", { what: t(`cond-${name}`) })}
                onRemove={() => edit([{ op: "set", path: [...path, name], value: undefined }])}
              />
            )}
          </div>
        ))}
        {there.includes("uri") && <SwitchField path={[...path, "ignoreUriCase"]} label={t("cond-ignoreUriCase")} />}
        <OtherFields path={path} known={[...names, ...(there.includes("uri") ? ["ignoreUriCase"] : [])]} />
      </div>
      <div className={styles.adds}>
        <Menu position="bottom-start">
          <Menu.Target>
            <PillButton disabled={disabled || there.length === names.length} data-testid={`${id}-add`}>
              {t("add-condition")}
            </PillButton>
          </Menu.Target>
          <Menu.Dropdown>
            {names
              .filter((name) => !there.includes(name))
              .map((name) => (
                <Menu.Item
                  key={name}
                  onClick={() => edit([{ op: "set", path: [...path, name], value: beginnings[name] }])}
                  data-testid={`${id}-add-${name}`}
                >
                  {t(`cond-${name}`)}
                </Menu.Item>
              ))}
          </Menu.Dropdown>
        </Menu>
      </div>
    </li>
  );
}

function Condition({ name, path }: { name: ConditionName; path: Path }) {
  const t = useTranslations("form");
  const { gateways, namespaces } = useForm();
  const label = t(`cond-${name}`);
  switch (name) {
    case "headers":
    case "withoutHeaders":
      return <MapField path={path} label={label} values="match" nameLabel={t("header")} />;
    case "queryParams":
      return <MapField path={path} label={label} values="match" nameLabel={t("parameter")} />;
    case "sourceLabels":
      return <MapField path={path} label={label} values="text" nameLabel={t("label")} />;
    case "gateways":
      return <ListField path={path} label={label} choices={["mesh", ...gateways]} />;
    case "sniHosts":
      return <ListField path={path} label={label} required />;
    case "destinationSubnets":
      return <ListField path={path} label={label} />;
    case "port":
      return <NumberField path={path} label={label} min={1} max={65_535} />;
    case "sourceNamespace":
      return <TextField path={path} label={label} placeholder={namespaces.join(", ")} required />;
    case "name":
      return <TextField path={path} label={label} required />;
    default:
      return (
        <div>
          <span className={styles.label}>{label}</span>
          <MatchInput path={path} label={label} />
        </div>
      );
  }
}
