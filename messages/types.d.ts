import type messages from "./en.json";

// Keys that are not in the message files do not compile.
declare module "use-intl" {
  interface AppConfig {
    Messages: typeof messages;
  }
}
