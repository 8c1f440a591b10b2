import { describe } from "vitest";
import { earlyInputJourney } from "./early-input-journey.ts";
import { everyPage } from "./every-page.ts";
import { frameJourney } from "./frame-journey.ts";
import { listJourney } from "./list-journey.ts";
import { meshAndBrowser } from "./running.ts";
import { browser as chromium } from "./tools.ts";
import { yamlJourney } from "./yaml-journey.ts";

describe.skipIf(chromium.missing)(`every page${chromium.reason}`, () => {
  const running = meshAndBrowser();
  everyPage(running);
  frameJourney(running);
  yamlJourney(running);
  listJourney(running);
  earlyInputJourney(running);
});
