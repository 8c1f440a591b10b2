import Link from "next/link";
import type { ComponentProps } from "react";

/**
 * A link to an object of the config. Its page is not fetched beforehand: the object may be deleted while a list that names it is still
 * open, and a page that nobody asked for would be reported as missing.
 */
export function ObjectLink(props: Omit<ComponentProps<typeof Link>, "prefetch">) {
  return <Link {...props} prefetch={false} />;
}
