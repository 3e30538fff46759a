// The only way elements are made here: text goes in as text, whatever it says.

type Child = Node | string | undefined;

export interface Props {
  readonly class?: string;
  readonly text?: string;
  readonly title?: string;
  readonly attrs?: Readonly<Record<string, string>>;
}

function dress<E extends Element>(element: E, props: Props, children: readonly Child[]): E {
  if (props.class) element.setAttribute('class', props.class);
  if (props.title !== undefined) element.setAttribute('title', props.title);
  for (const [name, value] of Object.entries(props.attrs ?? {})) element.setAttribute(name, value);
  if (props.text !== undefined) element.textContent = props.text;
  for (const child of children) if (child !== undefined) element.append(child);
  return element;
}

export function h<K extends keyof HTMLElementTagNameMap>(
  name: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  return dress(document.createElement(name), props, children);
}

export function svg<K extends keyof SVGElementTagNameMap>(
  name: K,
  props: Props = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return dress(document.createElementNS('http://www.w3.org/2000/svg', name), props, children);
}

/** Writes only what differs, so that nothing is laid out or read aloud again for nothing. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttr(element: Element, name: string, value: string | undefined): void {
  if (value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

export function byId<E extends Element>(id: string, kind: new () => E): E {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`no element ${id}`);
  return found;
}

/** Makes the children of `parent` those of `items`, in order, keeping the elements of the keys that
 * stay; of a key that comes twice the first. */
export function keyed<T, E extends Element>(
  parent: Element,
  items: readonly T[],
  key: (item: T) => string,
  make: (item: T) => E,
  update: (element: E, item: T) => void,
): void {
  const old = new Map<string, E>();
  for (const child of [...parent.children])
    old.set(child.getAttribute('data-key') ?? '', child as E);
  let at: Element | null = parent.firstElementChild;
  const seen = new Set<string>();
  for (const item of items) {
    const name = key(item);
    if (seen.has(name)) continue;
    seen.add(name);
    let element = old.get(name);
    if (element) {
      old.delete(name);
    } else {
      element = make(item);
      element.setAttribute('data-key', name);
    }
    update(element, item);
    if (element === at) at = at.nextElementSibling;
    else parent.insertBefore(element, at);
  }
  for (const gone of old.values()) gone.remove();
}
