import { newObjectHref } from "../lib/links.ts";
import { Link } from "../ui/link.tsx";
import { EmptyState } from "../ui/states.tsx";

export interface NoServicesProps {
  title: string;
  text: string;
  action: string;
}

/** A mesh without services, and how it gets one. */
export function NoServices({ title, text, action }: NoServicesProps) {
  return (
    <EmptyState
      title={title}
      action={
        <Link className="link" href={newObjectHref}>
          {action}
        </Link>
      }
    >
      {text}
    </EmptyState>
  );
}
