"use client";
import { NativeSelect } from "@mantine/core";
import { useId } from "react";
import { useTranslations } from "use-intl";
import { type LogFilterName, logFilterNames, serviceTitle } from "../../server/contract/index.ts";
import { grpcStatusNames } from "../../server/wire/grpc-status.ts";
import { useProxies, useServices } from "../lib/queries.ts";
import { useUrlState } from "../lib/url-state.ts";
import { grpcName, loggedFlags } from "../mesh-graph/flag-words.ts";
import { PillButton } from "../ui/pill.tsx";
import { defaultWindowSec } from "../ui/time-window.ts";
import { TextParam } from "./form-fields.tsx";
import styles from "./logs.module.css";

const always: readonly LogFilterName[] = ["path", "service", "code", "errors"];

/** Which requests are looked for: each field is a parameter of the address. */
export function LogForm() {
  const t = useTranslations("logs");
  const url = useUrlState();
  const id = useId();
  const services = useServices(defaultWindowSec).data?.services ?? [];
  const others = logFilterNames.filter((name) => !always.includes(name) && url.get(name));
  const isOpen = url.get("more") === "1";
  const onlyErrors = url.get("errors") === "true";
  return (
    <search className={styles.form} aria-label={t("search")}>
      <div className={styles.fields}>
        <TextField name="path" wide />
        <Choice
          name="service"
          options={services.map((service) => [service.hostname, `${serviceTitle(service)} · ${service.namespace}`])}
        />
        <Choice
          name="code"
          options={(["2xx", "3xx", "4xx", "5xx", "0"] as const).map((code) => [code, t(`code-${code}`)])}
        />
        <div className={styles.pills}>
          <PillButton
            pressed={onlyErrors}
            onClick={() => url.set({ errors: onlyErrors ? null : "true" })}
            data-testid="logs-errors"
          >
            {t("param-errors")}
          </PillButton>
          <PillButton
            aria-expanded={isOpen}
            aria-controls={isOpen ? id : undefined}
            onClick={() => url.set({ more: isOpen ? null : "1" })}
            data-testid="logs-more"
          >
            {others.length > 0 ? t("more-set", { count: others.length }) : t("more")}
          </PillButton>
          {(others.length > 0 || always.some((name) => url.get(name))) && (
            <PillButton onClick={() => url.set(Object.fromEntries(logFilterNames.map((name) => [name, null])))}>
              {t("clear")}
            </PillButton>
          )}
        </div>
      </div>
      {isOpen && <MoreFields id={id} />}
    </search>
  );
}

function MoreFields({ id }: { id: string }) {
  const t = useTranslations("logs");
  const words = useTranslations("flags");
  const proxies = useProxies().data?.proxies ?? [];
  return (
    <div className={styles.fields} id={id}>
      <Choice name="proxy" options={proxies.map((proxy) => [proxy.id, `${proxy.name} · ${proxy.namespace}`])} />
      <Choice
        name="direction"
        options={(["outbound", "inbound", "gateway"] as const).map((one) => [one, t(`direction-${one}`)])}
      />
      <Choice name="flag" options={loggedFlags.map((flag) => [flag, `${flag} · ${words(`means-${flag}`)}`])} />
      <Choice name="grpc" options={grpcStatusNames.map((_, code) => [String(code), grpcName(String(code))])} />
      <TextField name="details" />
      <TextField name="method" />
      <TextField name="min" numeric />
      <TextField name="max" numeric />
      <TextField name="source" />
      <TextField name="destination" />
      <TextField name="trace" />
      <TextField name="request" />
    </div>
  );
}

type FieldProps = { name: Exclude<LogFilterName, "errors"> };

function TextField({ name, ...rest }: FieldProps & { wide?: boolean; numeric?: boolean }) {
  const t = useTranslations("logs");
  const placeholder = name === "source" || name === "destination" ? t("peer-form") : undefined;
  const label = t(`param-${name}`);
  return <TextParam {...rest} name={name} label={label} placeholder={placeholder} data-testid={`logs-${name}`} />;
}

function Choice({ name, options }: FieldProps & { options: readonly (readonly [string, string])[] }) {
  const t = useTranslations("logs");
  const url = useUrlState();
  const value = url.get(name) ?? "";
  // What the address names may be gone, or not be read yet: it is what is searched for all the same.
  const isListed = value === "" || options.some(([option]) => option === value);
  return (
    <NativeSelect
      size="xs"
      label={t(`param-${name}`)}
      value={value}
      onChange={({ currentTarget }) => url.set({ [name]: currentTarget.value || null })}
      data={[
        { value: "", label: t("any") },
        ...(isListed ? [] : [{ value, label: value }]),
        ...options.map(([option, label]) => ({ value: option, label })),
      ]}
      data-testid={`logs-${name}`}
    />
  );
}
