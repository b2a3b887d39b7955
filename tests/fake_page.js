// As much of a browser's page as the scripts of live figures use.
Object.hasOwn ??= (object, name) => Object.prototype.hasOwnProperty.call(object, name);
class Element {
  constructor({ tag, attributes, text, children }, parentNode) {
    Object.assign(this, { tag, attributes, parentNode, textContent: text, heard: {} });
    this.children = children.map(child => new Element(child, this));
    this.dataset = new Proxy(attributes, {
      get: (all, name) => all[`data-${name}`],
      set: (all, name, value) => { all[`data-${name}`] = String(value); return true; },
    });
  }
  get name() { return this.attributes.name; }
  get type() { return this.attributes.type; }
  get checked() { return 'checked' in this.attributes; }
  set checked(on) { if (on) this.attributes.checked = ''; else delete this.attributes.checked; }
  get min() { return this.attributes.min; }
  get max() { return this.attributes.max; }
  get value() {
    return this.tag === 'select' ? this.chosen ?? this.children[0].textContent : this.attributes.value;
  }
  set value(value) {
    if (this.tag === 'select') this.chosen = value;
    else if (this.type === 'range') value = Math.max(+this.min, Math.min(+this.max, value));
    this.attributes.value = String(value);
  }
  getAttribute(name) { return this.attributes[name]; }
  setAttribute(name, value) { this.attributes[name] = String(value); }
  removeAttribute(name) { delete this.attributes[name]; }
  matches(selector) {
    const [, tag, kind, wanted] = selector.match(/^(\w*)(?:\.([\w-]+))?((?:\[[^\]]+\])*)$/);
    const classes = (this.attributes.class ?? '').split(' ');
    return (!tag || tag === this.tag) && (!kind || classes.includes(kind)) &&
      [...wanted.matchAll(/\[([\w-]+)(?:=([^\]]*))?\]/g)].every(([, name, value]) =>
        value === undefined ? name in this.attributes : this.attributes[name] === value);
  }
  querySelectorAll(selector) {
    return this.children.flatMap(child =>
      [...(child.matches(selector) ? [child] : []), ...child.querySelectorAll(selector)]);
  }
  querySelector(selector) { return this.querySelectorAll(selector)[0] ?? null; }
  put(html, after, instead) {
    const all = this.parentNode.children, made = new Element(JSON.parse(parse(html)), this.parentNode);
    all.splice(all.indexOf(this) + after, instead, made);
  }
  insertAdjacentHTML(where, html) {
    if (where !== 'afterend') throw Error(`not known here: ${where}`);
    this.put(html, 1, 0);
  }
  set outerHTML(html) { this.put(html, 0, 1); }
  addEventListener(kind, heard) {
    const before = this.heard[kind];
    this.heard[kind] = event => { before?.(event); heard(event); };
  }
  dispatchEvent({ type }) { this.heard[type](); }
}
const roots = JSON.parse(copies).map(root => new Element(root, null));
const location = { hash: address ?? '' }, pageHeard = {};
const history = { replaceState: (state, title, hash) => { location.hash = hash; } };
const addEventListener = (kind, heard) => { pageHeard[kind] = heard; };
const due = new Map(), clearTimeout = id => { due.delete(id); };
let timers = 0;
const setTimeout = work => { due.set(timers += 1, work); return timers; };
class ResizeObserver { observe() {} }  // a page of one size
class Event { constructor(type) { this.type = type; } }
const document = {
  documentElement: { dataset: address === null ? {} : { content_root: '../' } },
  querySelectorAll: selector => {
    const [, key] = selector.match(/^\[data-live="(\w+)"\]:not\(\[data-ready\]\)$/);
    return roots.filter(root => root.dataset.live === key && root.dataset.ready === undefined);
  },
};
