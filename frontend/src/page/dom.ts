type Child = Node | string | null;

/** Builds an element; children are nodes or text, never markup. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = "",
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  for (const child of children) if (child !== null) element.append(child);
  return element;
}

/** A button with text. `title` is shown on hover and belongs to its description. */
export function button(label: string, className: string, onClick: () => void): HTMLButtonElement {
  const element = el("button", className, label);
  element.type = "button";
  element.addEventListener("click", onClick);
  return element;
}

/** Sets text only when it differs, so that a live region or a selection is not disturbed. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** A button that is on or off. */
export function setPressed(element: HTMLButtonElement, pressed: boolean): void {
  element.setAttribute("aria-pressed", String(pressed));
}

/**
 * Makes a button do nothing and say why, on hover and to screen readers; null lets it work again. It
 * keeps the focus: whoever has just pressed Stop goes on from there.
 */
export function setUnavailable(element: HTMLButtonElement, reason: string | null): void {
  if (reason === null) {
    element.removeAttribute("aria-disabled");
    element.removeAttribute("title");
    return;
  }
  element.setAttribute("aria-disabled", "true");
  element.title = reason;
}

/** Switches a control off and says why on hover and to screen readers; null switches it on. */
export function setDisabled(element: HTMLButtonElement, reason: string | null): void {
  element.disabled = reason !== null;
  if (reason === null) element.removeAttribute("title");
  else element.title = reason;
}
