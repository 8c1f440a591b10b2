import { unknownAuthor } from "../../contract/index.ts";
import type { ApiRequest } from "./router.ts";
import { badRequest } from "./status-error.ts";

/** Who writes: the field manager for ownership, and the author for the history. */
export interface Actor {
  manager: string;
  author: string;
}

const maxNameLength = 128; // Kubernetes' bound on field managers

/**
 * The dashboard names its user in `x-limpid-user`; kubectl sends `fieldManager`. A manager of fields has, as in Kubernetes, else the name
 * of the product in User-Agent; an author is a person or a tool that names itself, and `Go-http-client` is nobody. Throws 400 on a field manager
 * that is too long or not printable.
 */
export function actorOf(request: Pick<ApiRequest, "query" | "headers" | "caller">): Actor {
  const user = request.headers["x-limpid-user"];
  const given = request.query.get("fieldManager") ?? "";
  if (given.length > maxNameLength || /[^\x20-\x7e]/.test(given)) {
    throw badRequest(`fieldManager must be at most ${maxNameLength} printable ASCII characters`);
  }
  const product = printable((request.headers["user-agent"] ?? "").split("/")[0] ?? "");
  // Whoever has shown who they are is that, whatever they call themselves.
  const { caller } = request;
  const named =
    (caller && caller.name !== "machine"
      ? printable(caller.name)
      : printable(typeof user === "string" ? decodeUser(user) : "")) || given;
  // kubectl names itself in each write but a delete.
  return {
    manager: given || product || "unknown",
    author: named || (product === "kubectl" ? product : unknownAuthor),
  };
}

/** Header values are Latin-1 on the wire; names in other scripts come percent-encoded. */
function decodeUser(header: string): string {
  try {
    return decodeURIComponent(header);
  } catch {
    return header;
  }
}

const printable = (text: string): string => text.replace(/\p{C}/gu, "").trim().slice(0, maxNameLength);
