import type { NextConfig } from "next";

const config: NextConfig = {
  reactStrictMode: true,
  poweredByHeader: false,
  // A browser may be at the far end of a tunnel, where what a page loads is what it waits for.
  compress: true,
  // Several worktrees of one repository may lie inside each other; the root is this one.
  turbopack: { root: import.meta.dirname },
  // `npm run types` and `npm run lint` are steps of their own; the build does not repeat them.
  typescript: { ignoreBuildErrors: true },
  devIndicators: false,
  // Browsers ask for it by themselves, between two pages for instance.
  rewrites: async () => [{ source: "/favicon.ico", destination: "/icon.svg" }],
  serverExternalPackages: ["@prisma/client", "@prisma/adapter-libsql", "@grpc/grpc-js", "pino"],
};

export default config;
