// As much of a document as the page uses, so that the whole of it runs in Node: no layout, no style, and strict about
// what the page promises not to do. Looks after the page's own HTML only.

class Node {
  parentNode = null;
  childNodes = [];

  get textContent() {
    return this.childNodes.map((child) => child.textContent).join('');
  }

  set textContent(value) {
    this.replaceChildren(...(value === '' ? [] : [String(value)]));
  }

  get children() {
    return this.childNodes.filter((child) => child instanceof Element);
  }

  get firstElementChild() {
    return this.children[0] ?? null;
  }

  get lastElementChild() {
    return this.children.at(-1) ?? null;
  }

  get nextElementSibling() {
    const all = this.parentNode?.children ?? [];
    return all[all.indexOf(this) + 1] ?? null;
  }

  append(...nodes) {
    nodes.forEach((node) => this.insertBefore(node instanceof Node ? node : new Text(String(node)), null));
  }

  insertBefore(node, before) {
    node.remove();
    const at = before === null ? this.childNodes.length : this.childNodes.indexOf(before);
    if (at < 0) {
      throw new Error('insertBefore: not a child');
    }
    this.childNodes.splice(at, 0, node);
    node.parentNode = this;
  }

  remove() {
    const siblings = this.parentNode?.childNodes;
    siblings?.splice(siblings.indexOf(this), 1);
    this.parentNode = null;
  }

  replaceChildren(...nodes) {
    [...this.childNodes].forEach((child) => child.remove());
    this.append(...nodes);
  }

  *descendants() {
    for (const child of this.children) {
      yield child;
      yield* child.descendants();
    }
  }

  querySelectorAll(selector) {
    return [...this.descendants()].filter((element) => element.matches(selector));
  }

  querySelector(selector) {
    return this.querySelectorAll(selector)[0] ?? null;
  }
}

class Text extends Node {
  constructor(data) {
    super();
    this.data = data;
  }

  get textContent() {
    return this.data;
  }
}

class Element extends Node {
  attributes = new Map();
  listeners = new Map();
  #value = null;
  open = false;
  checked = false;
  clientWidth = 400;

  constructor(localName) {
    super();
    this.localName = localName;
    this.dataset = new Proxy(this, {
      get: (element, name) => element.getAttribute(dashed(name)) ?? undefined,
      set: (element, name, value) => (element.setAttribute(dashed(name), value), true),
      deleteProperty: (element, name) => (element.removeAttribute(dashed(name)), true),
    });
  }

  get value() {
    return this.#value ?? this.getAttribute('value') ?? '';
  }

  set value(value) {
    this.#value = String(value);
  }

  get hidden() {
    return this.hasAttribute('hidden');
  }

  set hidden(value) {
    if (value) {
      this.setAttribute('hidden', '');
    } else {
      this.removeAttribute('hidden');
    }
  }

  set innerHTML(value) {
    throw new Error('The page sets no markup');
  }

  getAttribute(name) {
    return this.attributes.get(name) ?? null;
  }

  setAttribute(name, value) {
    if (name === 'style' || name.startsWith('on')) {
      throw new Error(`The policy forbids ${name}`);
    }
    if (String(value).includes('NaN') || String(value).includes('undefined')) {
      throw new Error(`${this.localName} ${name}="${value}"`);
    }
    this.attributes.set(name, String(value));
  }

  hasAttribute(name) {
    return this.attributes.has(name);
  }

  removeAttribute(name) {
    this.attributes.delete(name);
  }

  matches(selector) {
    const parts = selector.match(/^[a-z0-9]+|\[[^\]]+\]|[.#][\w-]+/g);
    if (parts.join('') !== selector) {
      throw new Error(`Not understood: ${selector}`);
    }
    return parts.every((part) => {
      if (part.startsWith('.')) {
        return (this.getAttribute('class') ?? '').split(' ').includes(part.slice(1));
      }
      if (part.startsWith('#')) {
        return this.getAttribute('id') === part.slice(1);
      }
      if (part.startsWith('[')) {
        const [, name, value] = part.match(/^\[([\w-]+)(?:=["']?([^"'\]]*)["']?)?\]$/);
        return value === undefined ? this.hasAttribute(name) : this.getAttribute(name) === value;
      }
      return this.localName === part;
    });
  }

  closest(selector) {
    for (let element = this; element instanceof Element; element = element.parentNode) {
      if (element.matches(selector)) {
        return element;
      }
    }
    return null;
  }

  addEventListener(type, listener) {
    this.listeners.set(type, [...(this.listeners.get(type) ?? []), listener]);
  }

  /** Told to the element and to those around it. */
  fire(type, event = {}) {
    const all = { type, target: this, button: 0, preventDefault() {}, ...event };
    for (let node = this; node; node = node.parentNode) {
      (node.listeners?.get(type) ?? []).forEach((listener) => listener(all));
    }
  }

  getBoundingClientRect() {
    return { top: 0, left: 0, width: this.clientWidth, height: 20 };
  }

  focus() {
    this.document().activeElement = this;
  }

  scrollIntoView() {}

  document() {
    let node = this;
    while (node.parentNode) {
      node = node.parentNode;
    }
    return node;
  }
}

class Document extends Node {
  listeners = new Map();
  hidden = false;
  activeElement = null;

  createElement(name) {
    return new Element(name);
  }

  createElementNS(namespace, name) {
    return new Element(name);
  }

  getElementById(id) {
    return this.querySelector(`#${id}`);
  }

  get documentElement() {
    return this.firstElementChild;
  }

  get body() {
    return this.querySelector('body');
  }

  get title() {
    return this.querySelector('title').textContent;
  }

  set title(value) {
    this.querySelector('title').textContent = value;
  }

  addEventListener(type, listener) {
    Element.prototype.addEventListener.call(this, type, listener);
  }

  fire(type) {
    (this.listeners.get(type) ?? []).forEach((listener) => listener({ type, target: this }));
  }
}

const VOID = ['meta', 'link', 'input', 'br'];

/** A document of HTML with quoted attributes, as the page's is. */
export function documentOf(html) {
  const document = new Document();
  let at = document;
  for (const [, close, name, attributes, text] of html.matchAll(
    /<(?:!doctype[^>]*|(\/?)([a-z0-9]+)((?:\s+[\w-]+(?:="[^"]*")?)*)\s*)>|([^<]+)/g,
  )) {
    if (text !== undefined) {
      if (text.trim() !== '') {
        at.append(text);
      }
    } else if (close) {
      at = at.parentNode;
    } else if (name) {
      const element = new Element(name);
      for (const [, attribute, value] of attributes.matchAll(/([\w-]+)(?:="([^"]*)")?/g)) {
        element.attributes.set(attribute, value ?? '');
      }
      at.append(element);
      at = VOID.includes(name) ? at : element;
    }
  }
  return document;
}

function dashed(name) {
  return `data-${String(name).replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
