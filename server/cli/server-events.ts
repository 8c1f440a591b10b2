/** What one event said; `event` is `message` where it has no name. */
export interface ServerEvent {
  event: string;
  data: string;
}

/** Server-sent events of an answer's body, until it ends. https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream */
export async function* eventData(body: AsyncIterable<Uint8Array> | null): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const event = parseBlock(block);
      if (event) yield event;
    }
  }
}

/** Undefined for a block of comments alone. */
function parseBlock(block: string): ServerEvent | undefined {
  let event = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const [, field, value = ""] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (field === "event") event = value;
    if (field === "data") data.push(value);
  }
  return data.length > 0 ? { event, data: data.join("\n") } : undefined;
}
