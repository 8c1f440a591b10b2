import type { ComponentPropsWithRef, ReactNode } from "react";
import { Link } from "./link.tsx";
import styles from "./pill.module.css";

export interface PillProps {
  children: ReactNode;
  href?: string;
  tone?: "plain" | "accent" | "warn" | "bad";
  title?: string;
  "data-testid"?: string;
}

/** A rounded fact; with `href` it leads to where the fact is explained. */
export function Pill({ children, href, tone = "plain", ...rest }: PillProps) {
  const className = classOf(tone);
  if (href) {
    return (
      <Link className={className} href={href} {...rest}>
        {children}
      </Link>
    );
  }
  return (
    <span className={className} {...rest}>
      {children}
    </span>
  );
}

const classOf = (tone: PillProps["tone"]): string => [styles.pill, tone && styles[tone]].filter(Boolean).join(" ");

/** The same shape, to press; `pressed` makes it a toggle. Takes a ref, so that it can be a Mantine menu's target. */
export function PillButton({
  pressed,
  tone = "plain",
  className = "",
  ...rest
}: ComponentPropsWithRef<"button"> & { pressed?: boolean; tone?: PillProps["tone"] }) {
  return <button type="button" aria-pressed={pressed} className={`${classOf(tone)} ${className}`} {...rest} />;
}
