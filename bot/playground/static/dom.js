/** Creates and finds elements. Texts are set as text, never parsed as HTML. */

/**
 * Create an element.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, unknown>} [props] attributes; `class`, `on…` listeners, `data-…`; false and null are left out
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

/** Whether an object has a property of its own. @param {object} object @param {string} name */
export const has = (object, name) => Object.prototype.hasOwnProperty.call(object, name);

const SVG = 'http://www.w3.org/2000/svg';

/**
 * A drawing from the sprite in index.html.
 * @param {string} name
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#i-${name}`);
  svg.append(use);
  return svg;
}

/**
 * The element of index.html with this id; throws if there is none.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no #${id}`);
  return element;
}

/** The button with this id. @param {string} id */
export const buttonById = (id) => /** @type {HTMLButtonElement} */ (byId(id));

/** The dialog with this id. @param {string} id */
export const dialogById = (id) => /** @type {HTMLDialogElement} */ (byId(id));

/** The text area with this id. @param {string} id */
export const textareaById = (id) => /** @type {HTMLTextAreaElement} */ (byId(id));

/** The input with this id. @param {string} id */
export const inputById = (id) => /** @type {HTMLInputElement} */ (byId(id));

/**
 * Show an element above everything: a modal dialog covers what is outside it, so the element moves into the one that is
 * open. (A popover would do the same, in browsers of 2023 and later.)
 * @param {HTMLElement} element
 */
export function raise(element) {
  const dialog = [...document.querySelectorAll('dialog[open]')].pop();
  const home = byId('raised');
  (dialog ?? home).append(element);
  dialog?.addEventListener('close', () => home.append(element), { once: true });
  element.hidden = false;
}

/** Whether the system asks for less motion. */
export const prefersReducedMotion = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** Whether there is a mouse: then focusing a field opens no on-screen keyboard. */
export const hasMouse = () => matchMedia('(hover: hover)').matches;

/**
 * Call `leave` on a press on a dialog's backdrop: the event's target is the dialog, the point is outside its box.
 * @param {HTMLDialogElement} dialog
 * @param {() => void} leave
 */
export function onBackdrop(dialog, leave) {
  dialog.addEventListener('pointerdown', (event) => {
    if (event.target !== dialog) return;
    const box = dialog.getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top &&
      event.clientY <= box.bottom;
    if (!inside) leave();
  });
}

/**
 * Make a text field as tall as its text, in browsers without `field-sizing`.
 * @param {HTMLTextAreaElement} field
 */
export function growWithText(field) {
  if (CSS.supports('field-sizing', 'content')) return;
  field.style.height = 'auto';
  field.style.height = `${field.scrollHeight}px`;
}
