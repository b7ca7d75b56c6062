/** Toasts, dialogs and menus over the page. Texts are set as text, never as HTML. */

import { byId, dialogById, h, icon, raise } from './dom.js';
import { ApiError } from './api.js';
import { t } from './strings.js';

const TOAST_MS = 4000;
/** @type {number | undefined} */
let toastTimer;

/** Show a short notice for a few seconds. @param {string} text */
export function toast(text) {
  const element = byId('toast');
  raise(element);
  element.textContent = text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (element.hidden = true), Math.max(TOAST_MS, text.length * 60));
}

/** Texts for the Bot API's error descriptions. @type {[RegExp, import('./strings.js').Key][]} */
const MEANINGS = [
  [/IMAGE_PROCESS_FAILED/, 'not_a_picture'],
  [/PHOTO_INVALID_DIMENSIONS/, 'odd_shape'],
  [/too big for a photo/, 'too_large_photo'],
  [/file must be non-empty/, 'empty_file'],
  [/no such button/, 'no_button'],
];

/**
 * The text for an error: the page's own, or the playground's description.
 * @param {unknown} error
 */
export function explain(error) {
  if (!(error instanceof ApiError)) throw error;
  if (error.status === 0) return t('offline');
  if (error.status === 413) return t('too_large');
  const known = MEANINGS.find(([pattern]) => pattern.test(error.message));
  return known ? t(known[1]) : [t('failed'), error.message].filter(Boolean).join(' ');
}

/**
 * Show a dialog and wait for the answer.
 * @param {{title?: string, text: string, buttons: {id: string, text: string, kind?: string}[]}} question
 * @returns {Promise<string | null>} the id of the pressed button; null if it was dismissed
 */
export function ask({ title = '', text, buttons }) {
  const dialog = dialogById('alert');
  if (dialog.open) dialog.close('');
  byId('alert-title').textContent = title;
  byId('alert-title').hidden = !title;
  byId('alert-text').textContent = text;
  byId('alert-buttons').replaceChildren(
    ...buttons.map(({ id, text: words, kind }) =>
      h('button', { type: 'button', class: `button ${kind ?? ''}`, onclick: () => dialog.close(`=${id}`) }, words)
    ),
  );
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      resolve(dialog.returnValue.startsWith('=') ? dialog.returnValue.slice(1) : null);
    }, { once: true });
  });
}

/** Show a text with an OK button. @param {string} text */
export const showAlert = (text) => ask({ text, buttons: [{ id: 'ok', text: t('ok'), kind: 'primary' }] });

/**
 * @typedef {{text: string, hint?: string, icon?: string, checked?: boolean, danger?: boolean, testid?: string,
 *   onPick: () => void} | {heading: string}} Item
 */

/** @type {HTMLElement | null} */
let opener = null;

/**
 * Open a menu beside an element, or at a point.
 * @param {Item[]} items
 * @param {HTMLElement | {x: number, y: number}} where
 */
export function openMenu(items, where) {
  const menu = byId('popup-menu');
  closeMenu();
  menu.replaceChildren(...items.map((item) => {
    if ('heading' in item) return h('div', { class: 'heading', role: 'presentation' }, item.heading);
    const choice = item.checked !== undefined;
    return h(
      'button',
      {
        type: 'button',
        role: choice ? 'menuitemradio' : 'menuitem',
        'aria-checked': choice ? String(item.checked) : null,
        class: item.danger ? 'danger' : null,
        'data-testid': item.testid,
        onclick: () => {
          closeMenu();
          item.onPick();
        },
      },
      icon(item.icon ?? (item.checked ? 'check' : 'none')),
      h('span', {}, item.text, item.hint ? h('small', {}, item.hint) : null),
    );
  }));
  if (where instanceof HTMLElement) {
    opener = where;
    where.setAttribute('aria-expanded', 'true');
  }
  raise(menu);
  place(menu, where);
  menu.querySelector('button')?.focus({ preventScroll: true });
}

/**
 * @param {HTMLElement} menu
 * @param {HTMLElement | {x: number, y: number}} where
 */
function place(menu, where) {
  const margin = 8;
  const { offsetWidth: width, offsetHeight: height } = menu;
  let { x, y } = where instanceof HTMLElement ? { x: 0, y: 0 } : where;
  if (where instanceof HTMLElement) {
    const box = where.getBoundingClientRect();
    x = box.left + box.width / 2 > innerWidth / 2 ? box.right - width : box.left;
    y = box.top > innerHeight / 2 ? box.top - height - margin : box.bottom + margin;
  } else if (y + height > innerHeight - margin) y -= height;
  menu.style.left = `${Math.max(margin, Math.min(x, innerWidth - width - margin))}px`;
  menu.style.top = `${Math.max(margin, Math.min(y, innerHeight - height - margin))}px`;
}

/** Close the menu. @param {boolean} [refocus] give the focus back to its opener */
export function closeMenu(refocus = false) {
  const menu = byId('popup-menu');
  if (menu.hidden) return;
  menu.hidden = true;
  opener?.setAttribute('aria-expanded', 'false');
  if (refocus) opener?.focus();
  opener = null;
}

/** Close menus on a press elsewhere, on Escape and Tab; arrow keys move in them. */
export function watchMenus() {
  const menu = byId('popup-menu');
  const isOpen = () => !menu.hidden;
  document.addEventListener('pointerdown', (event) => {
    if (!isOpen() || !(event.target instanceof Node) || menu.contains(event.target)) return;
    // The press on the opener closes the menu; its click must not open it again.
    if (opener?.contains(event.target)) {
      opener.addEventListener('click', (click) => click.stopImmediatePropagation(), { once: true, capture: true });
    }
    closeMenu();
  }, true);
  addEventListener('resize', () => closeMenu());
  menu.addEventListener('keydown', (event) => {
    const buttons = [...menu.querySelectorAll('button')];
    const at = buttons.findIndex((button) => button === document.activeElement);
    if (event.key === 'Escape' || event.key === 'Tab') closeMenu(true);
    else if (event.key === 'ArrowDown') buttons[(at + 1) % buttons.length]?.focus();
    else if (event.key === 'ArrowUp') buttons[(at - 1 + buttons.length) % buttons.length]?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}
