/** Building and updating elements: typed, without a framework, touching the page only on change. */

export type Child = Node | string | null | undefined | false;

export interface Attributes {
  readonly [name: string]: string | number | boolean | null | undefined | Handlers;
  readonly on?: Handlers;
}

export type Handlers = { readonly [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void };

/** Make an element; `true` sets an empty attribute, `false` and nullish values set none. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on" && typeof value === "object" && value !== null) {
      for (const [kind, handler] of Object.entries(value)) {
        element.addEventListener(kind, handler as EventListener);
      }
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.filter((c): c is Node | string => c !== null && c !== undefined && c !== false));
  return element;
}

/** Set an element's text if it differs, so that selections and screen readers are left in peace. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Set or (with null) remove an attribute if it differs. */
export function setAttribute(element: Element, name: string, value: string | null): void {
  if (value === null) {
    if (element.hasAttribute(name)) element.removeAttribute(name);
  } else if (element.getAttribute(name) !== value) {
    element.setAttribute(name, value);
  }
}

export function show(element: HTMLElement, visible: boolean): void {
  if (element.hidden === visible) element.hidden = !visible;
}

export interface Row<T> {
  readonly element: HTMLElement;
  update(item: T): void;
}

/** A list whose rows live as long as their key, so that focus and switches survive an update. */
export function keyedList<T>(
  parent: HTMLElement,
  keyOf: (item: T) => string,
  create: (item: T) => Row<T>,
): (items: readonly T[]) => void {
  const rows = new Map<string, Row<T>>();
  return (items) => {
    const wanted = new Set(items.map(keyOf));
    for (const [key, row] of rows) {
      if (!wanted.has(key)) {
        row.element.remove();
        rows.delete(key);
      }
    }
    items.forEach((item, index) => {
      const key = keyOf(item);
      let row = rows.get(key);
      if (!row) {
        row = create(item);
        rows.set(key, row);
      }
      row.update(item);
      const there = parent.children[index];
      if (there !== row.element) parent.insertBefore(row.element, there ?? null);
    });
  };
}

/** The element with this id; a page without it is a bug. */
export function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) throw new Error(`no #${id} in this page`);
  return element;
}

/** A `<time>` that can be set again: local time as text, UTC as title. */
export function timeElement(): { element: HTMLTimeElement; set(iso: string, text: string): void } {
  const element = h("time");
  return {
    element,
    set(iso, text) {
      setText(element, text);
      setAttribute(element, "datetime", iso);
      const date = new Date(iso);
      setAttribute(element, "title", Number.isNaN(date.getTime()) ? iso : date.toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC"));
    },
  };
}
