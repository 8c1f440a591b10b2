import Link from "next/link";
import type { ComponentProps } from "react";

/**
 * A link to something that the mesh has: a service, an object of the config, a trace. Its page is not fetched beforehand: what it shows may be
 * gone while a list that names it is still open, and a page that nobody asked for would be reported as missing.
 */
export function ObjectLink(props: Omit<ComponentProps<typeof Link>, "prefetch">) {
  return <Link {...props} prefetch={false} />;
}
