"use client";
import NextLink from "next/link";
import { type ComponentProps, useState } from "react";

/**
 * A link to another page, which is fetched beforehand once somebody is about to go there, by pointer, key or finger. Next would fetch each one
 * in sight, twice, as soon as the page stands: three dozen requests that stand in line before what the page itself still waits for.
 */
export function Link({ onPointerEnter, onFocus, ...rest }: Omit<ComponentProps<typeof NextLink>, "prefetch">) {
  const [isMeant, setMeant] = useState(false);
  return (
    <NextLink
      {...rest}
      prefetch={isMeant ? null : false}
      onPointerEnter={(event) => {
        setMeant(true);
        onPointerEnter?.(event);
      }}
      onFocus={(event) => {
        setMeant(true);
        onFocus?.(event);
      }}
    />
  );
}
