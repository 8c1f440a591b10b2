"use client";
import { createContext, type ReactNode, useContext } from "react";
import { allows, type Need, type Session } from "../../server/contract/index.ts";

const Current = createContext<Session | null>(null);

/** Who is signed in, for everything below. */
export function SessionProvider({ session, children }: { session: Session | null; children: ReactNode }) {
  return <Current value={session}>{children}</Current>;
}

/** Null on the sign-in page only. */
export const useSession = (): Session | null => useContext(Current);

/**
 * Whether the reader may do something: what they may not do is not offered. The server holds them to it besides. Without a namespace: in any.
 */
export function useMay(): (role: Need["role"], namespace?: string) => boolean {
  const session = useSession();
  return (role, namespace) => session !== null && allows(session.grants, { role, namespace });
}

export interface IfMayProps {
  /** The role that it takes. */
  as: Need["role"];
  namespace?: string | undefined;
  otherwise?: ReactNode;
  children: ReactNode;
}

/** Its children for whoever may do this, and `otherwise` for everybody else. */
export const IfMay = ({ as, namespace, otherwise = null, children }: IfMayProps): ReactNode =>
  useMay()(as, namespace) ? children : otherwise;
