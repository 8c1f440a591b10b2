import { describe } from "vitest";
import { alertsJourney } from "./alerts-journey.ts";
import { designsJourney } from "./designs-journey.ts";
import { explainJourney } from "./explain-journey.ts";
import { faultJourney } from "./fault-journey.ts";
import { loadJourney } from "./load-journey.ts";
import { paletteJourney } from "./palette-journey.ts";
import { meshAndBrowser } from "./running.ts";
import { sliderJourney } from "./slider-journey.ts";
import { browser as chromium } from "./tools.ts";

describe.skipIf(chromium.missing)(`slider and fault on the bundled sidecars${chromium.reason}`, () => {
  const running = meshAndBrowser();
  sliderJourney(running);
  faultJourney(running);
  explainJourney(running);
  loadJourney(running);
  alertsJourney(running);
  designsJourney(running);
  paletteJourney(running);
});
