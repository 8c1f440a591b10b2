"use client";
import { TextInput } from "@mantine/core";
import { useState } from "react";

export interface NameInputProps {
  label: string;
  value: string;
  /** Once it is left, or Enter was pressed, and it is another. */
  onCommit: (name: string) => void;
  disabled: boolean;
  testId: string;
}

/** The name of a field in a map: a half-written one would be a field of its own, so it counts when it is done. */
export function NameInput({ label, value, onCommit, disabled, testId }: NameInputProps) {
  const [text, setText] = useState<string | null>(null);
  const commit = () => {
    setText(null);
    const name = text?.trim() ?? "";
    if (name !== "" && name !== value) onCommit(name);
  };
  return (
    <TextInput
      aria-label={label}
      placeholder={label}
      value={text ?? value}
      onChange={({ currentTarget }) => setText(currentTarget.value)}
      onBlur={commit}
      onKeyDown={({ key }) => key === "Enter" && commit()}
      disabled={disabled}
      spellCheck={false}
      autoComplete="off"
      data-testid={testId}
    />
  );
}
