import { keepEarlyInput } from "./early-input.ts";

/** See `keepEarlyInput`. In the head: it has to be there before the first control. */
export function EarlyInputScript({ nonce }: { nonce: string | undefined }) {
  return (
    <script
      nonce={nonce}
      // A browser hides the nonce from whoever reads the document.
      suppressHydrationWarning
      // biome-ignore lint/security/noDangerouslySetInnerHtml: our own source, and nothing of anybody's
      dangerouslySetInnerHTML={{ __html: `(${keepEarlyInput.toString()})()` }}
    />
  );
}
