import type { IncomingMessage } from "node:http";
import type { Access } from "../access/access.ts";
import type { Deed } from "../access/audit.ts";
import type { Caller } from "../access/caller.ts";
import { failure } from "../access/failure.ts";
import { told } from "../contract/index.ts";
import { type CookiePlace, cookieName, readCookies } from "./cookie.ts";

/** What the listener asks of who may come in. */
export interface Callers {
  /** Undefined: nobody has signed in. Rejects with UNAUTHENTICATED for a token that is none. */
  identify(request: IncomingMessage): Promise<Caller | undefined>;
  /** Whether an answer that lasts may go on. */
  isStillIn(caller: Caller): Promise<boolean>;
  /** Writes down what was done. */
  note(deed: Deed): Promise<void>;
}

export function createCallers(access: Access, place: CookiePlace): Callers {
  const name = cookieName("session", place);
  return {
    async identify(request) {
      const { headers } = request;
      // Whoever shows a token means the token: a wrong one is no reason to look at the cookie.
      if (headers.authorization !== undefined) {
        const [, token] = /^Bearer +([\w.~+/-]+=*)$/i.exec(headers.authorization) ?? [];
        if (token === undefined) throw failure("UNAUTHENTICATED", told("token-wrong", {}));
        return access.bearer(token, addressOf(request));
      }
      const secret = readCookies(headers.cookie)[name];
      return secret === undefined ? undefined : access.sessions.callerOf(secret);
    },
    isStillIn: async ({ sessionHash }) => sessionHash === undefined || access.sessions.isOpen(sessionHash),
    note: access.note,
  };
}

/** Without the form that IPv6 gives to IPv4. */
export const addressOf = ({ socket }: IncomingMessage): string =>
  (socket.remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/, "");
