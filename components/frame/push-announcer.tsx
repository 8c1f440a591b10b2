"use client";
import { useEffect, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import type { MeshStatus } from "../../server/contract/index.ts";

/** Says a push's outcome to people who don't see the pill change. What was pushed before the page was opened is not news. */
export function PushAnnouncer({ status }: { status: MeshStatus | undefined }) {
  const t = useTranslations("frame");
  const [text, setText] = useState("");
  const known = useRef<number | null>(null);
  const push = status?.lastPush;
  const revision = push?.complete ? push.revision : null;
  useEffect(() => {
    if (!push || revision === null) return;
    const isNews = known.current !== null && known.current !== revision && push.proxies.length > 0;
    known.current = revision;
    if (!isNews) return;
    const refused = push.proxies.filter(({ state }) => state === "nacked").length;
    setText(
      refused > 0
        ? t("push-refused", { revision, refused, total: push.proxies.length })
        : t("push-done", { revision, total: push.proxies.length, ms: Math.round(push.ms ?? 0) }),
    );
  }, [push, revision, t]);
  return (
    <p className="visually-hidden" role="status" data-testid="push-announcer">
      {text}
    </p>
  );
}
