import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "uplot/dist/uPlot.min.css";
import "../components/ui/tokens.css";
import "./globals.css";
import { ColorSchemeScript, mantineHtmlProps } from "@mantine/core";
import { GeistMono } from "geist/font/mono";
import { GeistSans } from "geist/font/sans";
import type { Metadata, Viewport } from "next";
import { headers } from "next/headers";
import type { ReactNode } from "react";
import { EarlyInputScript } from "../components/frame/early-input-script.tsx";
import { Frame } from "../components/frame/frame.tsx";
import { Providers } from "../components/frame/providers.tsx";
import { SessionProvider } from "../components/lib/session.tsx";
import { getDashboard } from "../server/next.ts";
import { getLocale, getMessages } from "./intl.ts";
import { getSession } from "./session.ts";
import { settle } from "./settle.ts";

export const metadata: Metadata = {
  title: { default: "Limpid", template: "%s · Limpid" },
  icons: { icon: "/icon.svg" },
};

export const viewport: Viewport = {
  themeColor: [
    { media: "(prefers-color-scheme: dark)", color: "#10181c" },
    { media: "(prefers-color-scheme: light)", color: "#ffffff" },
  ],
};

export default async function RootLayout({ children }: { children: ReactNode }) {
  const locale = await getLocale();
  const nonce = (await headers()).get("x-nonce") ?? undefined;
  const timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const session = await getSession();
  // Nobody who has not signed in learns anything of the mesh.
  const status = session && settle((await getDashboard()).status());
  return (
    <html lang={locale} {...mantineHtmlProps} className={`${GeistSans.variable} ${GeistMono.variable}`}>
      <head>
        <ColorSchemeScript defaultColorScheme="auto" nonce={nonce} suppressHydrationWarning />
        <EarlyInputScript nonce={nonce} />
      </head>
      <body>
        <Providers locale={locale} messages={getMessages(locale)} timeZone={timeZone}>
          <SessionProvider session={session}>
            {status ? <Frame status={status}>{children}</Frame> : children}
          </SessionProvider>
        </Providers>
      </body>
    </html>
  );
}
