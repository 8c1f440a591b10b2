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
import { Frame } from "../components/frame/frame.tsx";
import { Providers } from "../components/frame/providers.tsx";
import { getDashboard } from "../server/next.ts";
import { getLocale, getMessages } from "./intl.ts";
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
  const status = settle((await getDashboard()).status());
  return (
    <html lang={locale} {...mantineHtmlProps} className={`${GeistSans.variable} ${GeistMono.variable}`}>
      <head>
        <ColorSchemeScript defaultColorScheme="auto" nonce={nonce} suppressHydrationWarning />
      </head>
      <body>
        <Providers locale={locale} messages={getMessages(locale)} timeZone={timeZone}>
          <Frame status={status}>{children}</Frame>
        </Providers>
      </body>
    </html>
  );
}
