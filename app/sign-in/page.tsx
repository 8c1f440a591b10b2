import type { Metadata } from "next";
import { SignInPage } from "../../components/access/sign-in-page.tsx";
import { type ApiError, ownAddress, told } from "../../server/contract/index.ts";
import { getSignInWays } from "../../server/next.ts";
import { getTranslations } from "../intl.ts";

export const generateMetadata = async (): Promise<Metadata> => ({ title: (await getTranslations())("sign-in.title") });

type Query = Record<string, string | string[] | undefined>;

export default async function SignIn({ searchParams }: { searchParams: Promise<Query> }) {
  const { next, refused } = await searchParams;
  return <SignInPage ways={await getSignInWays()} next={ownAddress(next)} refused={errorIn(refused)} />;
}

/** What the identity provider's way back has to say: one of two things, and nothing that a link could say instead. */
const errorIn = (reason: string | string[] | undefined): ApiError | null =>
  reason === "oidc-failed" || reason === "oidc-no-role" ? { code: "FORBIDDEN", ...told(reason, {}) } : null;
