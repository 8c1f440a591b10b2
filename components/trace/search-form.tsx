"use client";
import { TextInput } from "@mantine/core";
import { type FormEvent, type HTMLInputTypeAttribute, useId } from "react";
import { useTranslations } from "use-intl";
import { useUrlState } from "../lib/url-state.ts";
import { useFollowing } from "../lib/use-following.ts";
import { PillButton } from "../ui/pill.tsx";
import { useTraceOperations } from "./trace-queries.ts";
import { searchFields } from "./trace-search.ts";
import styles from "./traces.module.css";

/** What is searched for. It is in the URL as soon as a field is left, Enter is pressed or something known is chosen. */
export function SearchForm() {
  const t = useTranslations("traces");
  const url = useUrlState();
  const known = useTraceOperations().data?.services ?? [];
  const service = url.get("service");
  const operations = known.filter((one) => !service || one.service === service).flatMap((one) => one.operations);
  const errors = url.get("errors") === "true";
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    url.set(
      Object.fromEntries(
        searchFields.filter((name) => name !== "errors").map((name) => [name, String(form.get(name) ?? "").trim()]),
      ),
    );
  };
  return (
    <search>
      <form className={styles.search} onSubmit={submit} data-testid="trace-search">
        <Field name="service" label={t("service")} options={known.map((one) => one.service)} />
        <Field name="operation" label={t("operation")} options={[...new Set(operations)]} />
        <Field name="min" label={t("min")} type="number" />
        <Field name="max" label={t("max")} type="number" />
        <Field name="tag" label={t("tag")} placeholder="http.status_code=503" />
        <PillButton
          pressed={errors}
          onClick={() => url.set({ errors: errors ? null : "true" })}
          data-testid="trace-errors"
        >
          {t("only-errors")}
        </PillButton>
        <button type="submit" className="visually-hidden">
          {t("search")}
        </button>
      </form>
    </search>
  );
}

interface FieldProps {
  name: (typeof searchFields)[number];
  label: string;
  options?: readonly string[];
  placeholder?: string;
  type?: HTMLInputTypeAttribute;
}

function Field({ name, label, options, placeholder, type = "text" }: FieldProps) {
  const url = useUrlState();
  const text = url.get(name) ?? "";
  const list = useId();
  const keep = (value: string) => value !== text && url.set({ [name]: value });
  return (
    <>
      <TextInput
        ref={useFollowing(text)}
        className={styles.field ?? ""}
        size="xs"
        name={name}
        type={type}
        {...(type === "number" && { min: 0, step: "any" })}
        aria-label={label}
        placeholder={placeholder ? `${label}: ${placeholder}` : label}
        defaultValue={text}
        {...(options && { list })}
        autoComplete="off"
        onBlur={(event) => keep(event.currentTarget.value.trim())}
        onChange={({ currentTarget: { value } }) => (value === "" || options?.includes(value)) && keep(value)}
        data-testid={`trace-${name}`}
      />
      {options && (
        <datalist id={list}>
          {options.map((option) => (
            <option key={option} value={option} />
          ))}
        </datalist>
      )}
    </>
  );
}
