"use client";
import { Button, type ButtonProps } from "@mantine/core";
import { useTimeout } from "@mantine/hooks";
import { type ReactNode, type Ref, useState } from "react";

export interface ConfirmButtonProps extends ButtonProps {
  /** What the button says once armed: what will be hit (`Stop fault on ratings`). */
  confirm: ReactNode;
  onConfirm: () => void;
  children: ReactNode;
  ref?: Ref<HTMLButtonElement>;
  "data-testid"?: string;
}

/** Two presses within 4 s, in one place: the first arms it and says what will be hit, the second does it. */
export function ConfirmButton({ confirm, onConfirm, children, ...rest }: ConfirmButtonProps) {
  const [armed, setArmed] = useState(false);
  const disarm = useTimeout(() => setArmed(false), 4000);
  // What is beside it moves when its words change back: not between the press and the release that take the focus there.
  const left = useTimeout(() => setArmed(false), 300);
  const press = () => {
    disarm.clear();
    setArmed(!armed);
    if (armed) onConfirm();
    else disarm.start();
  };
  return (
    <Button
      {...rest}
      onClick={press}
      onBlur={() => left.start()}
      onFocus={() => left.clear()}
      aria-live="polite"
      {...(armed ? { color: "red", variant: "filled" } : {})}
    >
      {armed ? confirm : children}
    </Button>
  );
}
