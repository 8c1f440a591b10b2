/**
 * What is typed, chosen and sent between a page's first paint and the moment React takes its controls over is kept, and done again then:
 * without this a select jumps back to what the server wrote, a field forgets what was typed at its next repaint, and a form goes to the
 * server by the browser's own way, with all of its fields in the address. Runs in the document before everything else, by its source, so
 * that it may use nothing from outside itself.
 */
export function keepEarlyInput(): void {
  type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;
  /** How to do again what was done to an element, in the order of the first time; with the number of frames since React has it. */
  const kept = new Map<Element, { redo: () => void; frames: number }>();

  // React writes an element's props beside it when it takes it over. Nothing that is documented says so, and an end-to-end test holds it.
  const isTaken = (element: Element): boolean => Object.keys(element).some((key) => key.startsWith("__reactProps$"));

  const say = (element: Element, ...types: string[]): void => {
    for (const type of types) element.dispatchEvent(new Event(type, { bubbles: true }));
  };
  /** React hears of a value only where it is another than the last one that was set through the element itself. */
  const write = (field: Field, value: string): void => {
    field.value = value === "" ? "0" : "";
    Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), "value")?.set?.call(field, value);
    say(field, "input", "change");
    if (document.activeElement !== field) say(field, "focusout");
  };
  const press = (box: HTMLInputElement, checked: boolean): void => {
    box.checked = !checked;
    box.click();
  };

  const keep = (element: Element, redo: () => void): void => {
    if (kept.size === 0) requestAnimationFrame(look);
    // What was done last comes last: a form is sent after its fields are filled in.
    kept.delete(element);
    kept.set(element, { redo, frames: 0 });
  };
  const look = (): void => {
    for (const [element, one] of kept) {
      // One frame later what React does after it has drawn is done, too: the router listens to the address.
      const isDue = isTaken(element) && ++one.frames > 1;
      if (element.isConnected && !isDue) continue;
      kept.delete(element);
      if (!isDue) continue;
      // What React still has to do with it is done at this event, and undoes nothing afterwards.
      if (!(element instanceof HTMLFormElement)) say(element, "input");
      one.redo();
    }
    if (kept.size > 0) requestAnimationFrame(look);
  };

  const onInput = ({ target }: Event): void => {
    const isField =
      target instanceof HTMLInputElement ||
      target instanceof HTMLTextAreaElement ||
      target instanceof HTMLSelectElement;
    if (!isField) return;
    if (isTaken(target)) {
      kept.delete(target);
      return;
    }
    const { value } = target;
    if (target.type === "file") keep(target, () => say(target, "change"));
    else if (target instanceof HTMLInputElement && /^(checkbox|radio)$/.test(target.type)) {
      const { checked } = target;
      keep(target, () => press(target, checked));
    } else keep(target, () => write(target, value));
  };
  /** What was pressed after the key that opens the palette; undefined: that was not pressed, or the palette has them. */
  let typed: string[] | undefined;
  const trigger = '[data-testid="palette"]';
  /** The control may be another by then: what stands there while the page is streamed gives way. */
  const openOnceTaken = (frames: number): void => {
    requestAnimationFrame(() => {
      const control = [...document.querySelectorAll<HTMLElement>(trigger)].find(isTaken);
      if (!control || frames < 2) {
        openOnceTaken(control ? frames + 1 : 0);
        return;
      }
      control.click();
      // A frame later the palette listens.
      requestAnimationFrame(() => {
        const keys = typed ?? [];
        typed = undefined;
        for (const key of keys)
          document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
      });
    });
  };
  window.addEventListener(
    "keydown",
    (event) => {
      const { key } = event;
      const hasModifier = event.ctrlKey || event.metaKey;
      if (typed !== undefined && !hasModifier && !event.altKey && (key.length === 1 || key === "Backspace")) {
        event.preventDefault();
        typed.push(key);
        return;
      }
      // The key that opens the palette; a browser has another use for it.
      if (!/^k$/i.test(key) || !hasModifier) return;
      const triggers = [...document.querySelectorAll(trigger)];
      if (triggers.length === 0 || (typed === undefined && triggers.some(isTaken))) return;
      event.preventDefault();
      if (typed === undefined) openOnceTaken(0);
      typed ??= [];
    },
    { capture: true },
  );
  window.addEventListener("input", onInput, { capture: true });
  window.addEventListener("change", onInput, { capture: true });
  window.addEventListener(
    "submit",
    (event) => {
      const { target: form, submitter } = event;
      if (!(form instanceof HTMLFormElement) || isTaken(form)) return;
      event.preventDefault();
      keep(form, () => form.requestSubmit(submitter));
    },
    { capture: true },
  );
}
