"use client";
import { z } from "zod";
import {
  ApiTokenList,
  AuditPage,
  MadeApiToken,
  type NewApiToken,
  type NewUser,
  SignInLink,
  User,
  type UserChange,
  UserList,
} from "../../server/contract/index.ts";
import { getJson, type Settled, sendJson } from "../lib/api.ts";
import { type Live, useLive } from "../lib/live.ts";
import { type AuditFilter, auditQuery } from "./audit-filter.ts";

const pace = 10_000;
const nothing = z.object({});

export const useUsers = (): Live<z.infer<typeof UserList>> =>
  useLive({ queryKey: ["users"], read: (signal) => getJson(UserList, "/api/users", signal), everyMs: pace });

export const useTokens = (all: boolean): Live<z.infer<typeof ApiTokenList>> =>
  useLive({
    queryKey: ["tokens", all],
    read: (signal) => getJson(ApiTokenList, `/api/tokens?all=${all}`, signal),
    everyMs: pace,
  });

export const useAudit = (filter: AuditFilter, initial?: Settled<AuditPage>): Live<AuditPage> =>
  useLive({
    queryKey: ["audit", filter],
    read: (signal) => getJson(AuditPage, `/api/audit?${new URLSearchParams(auditQuery(filter))}`, signal),
    // What is past does not change.
    everyMs: filter.before === "" ? 5_000 : null,
    initial,
  });

const userPath = (name: string): string => `/api/users/${encodeURIComponent(name)}`;

/** Each throws `ApiFailure`. */
export const createUser = (user: NewUser): Promise<User> => sendJson(User, "POST", "/api/users", user);
export const changeUser = (name: string, change: UserChange): Promise<User> =>
  sendJson(User, "PUT", userPath(name), change);
export const deleteUser = (name: string): Promise<unknown> => sendJson(nothing, "DELETE", userPath(name));
export const signOutUser = (name: string): Promise<unknown> => sendJson(nothing, "POST", `${userPath(name)}/sign-out`);
export const makeLink = (name: string): Promise<SignInLink> =>
  sendJson(SignInLink, "POST", "/api/sign-in-links", { name });
export const createToken = (token: NewApiToken): Promise<z.infer<typeof MadeApiToken>> =>
  sendJson(MadeApiToken, "POST", "/api/tokens", token);
export const revokeToken = (id: string): Promise<unknown> => sendJson(z.unknown(), "DELETE", `/api/tokens/${id}`);
export const changePassword = (password: string, current: string): Promise<unknown> =>
  sendJson(nothing, "PUT", "/api/session/password", { password, ...(current !== "" && { current }) });
