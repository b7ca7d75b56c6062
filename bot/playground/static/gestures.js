/** Gestures on messages: long press or right click opens the menu, a swipe to the left replies. */

import { fileUrl } from './api.js';
import { isPicture, largest } from './bubble.js';
import { openMenu, toast } from './dialogs.js';
import { byId, h, icon } from './dom.js';
import { t } from './strings.js';

/** @typedef {import('./api.js').Message} Message */

const LONG_PRESS_MS = 450;
const SLACK = 10; // px that a resting finger may move
const SWIPE = 56; // px from which a swipe replies
const FURTHEST = 76;

/**
 * Watch the message list.
 * @param {{
 *   get: (id: number) => Message | undefined,
 *   reply: (message: Message) => void,
 *   open: (message: Message) => void,
 * }} chat
 */
export function watchGestures({ get, reply, open }) {
  const list = byId('messages');

  /** @param {EventTarget | null} target */
  function messageAt(target) {
    const marked = target instanceof Element ? target.closest('[data-message-id], .has-album') : null;
    const holder = marked?.matches('.has-album') ? marked.querySelector('[data-message-id]') : marked;
    return get(Number(holder?.getAttribute('data-message-id')));
  }

  /**
   * @param {Message} message
   * @param {{x: number, y: number}} point
   */
  function menu(message, point) {
    const text = message.text ?? message.caption;
    const file = largest(message)?.file_id ?? message.document?.file_id;
    openMenu([
      { text: t('reply'), icon: 'reply', testid: 'menu-reply', onPick: () => reply(message) },
      ...(text ? [{ text: t('copy'), icon: 'copy', onPick: () => copy(text) }] : []),
      ...(message.photo || (message.document && isPicture(message.document))
        ? [{ text: t('open'), icon: 'photo', onPick: () => open(message) }]
        : []),
      ...(file ? [{ text: t('download'), icon: 'download', onPick: () => download(file) }] : []),
    ], point);
  }

  list.addEventListener('contextmenu', (event) => {
    const message = messageAt(event.target);
    // On a selection or a link the browser's own menu opens.
    if (!message || String(getSelection()) || (event.target instanceof Element && event.target.closest('.text a'))) {
      return;
    }
    event.preventDefault();
    if (!(event instanceof PointerEvent) || event.pointerType !== 'touch') {
      menu(message, { x: event.clientX, y: event.clientY });
    }
  });

  list.addEventListener('pointerdown', (event) => {
    const message = messageAt(event.target);
    const element = event.target instanceof Element ? event.target.closest('.message') : null;
    if (!message || !(element instanceof HTMLElement) || event.pointerType !== 'touch' || !event.isPrimary) return;
    follow(event, message, element);
  });

  /**
   * Follow one finger until it is lifted.
   * @param {PointerEvent} start
   * @param {Message} message
   * @param {HTMLElement} element
   */
  function follow(start, message, element) {
    const mark = h('span', { class: 'swipe-mark' }, icon('reply'));
    const ending = new AbortController();
    let swiping = false;
    let away = 0;

    const timer = setTimeout(() => {
      suppressNextClick();
      end();
      navigator.vibrate?.(10);
      menu(message, { x: start.clientX, y: start.clientY });
    }, LONG_PRESS_MS);

    function end() {
      clearTimeout(timer);
      ending.abort();
      element.classList.remove('swiping');
      element.style.transform = '';
      mark.remove();
    }

    addEventListener('pointermove', (event) => {
      if (event.pointerId !== start.pointerId) return;
      const dx = event.clientX - start.clientX;
      const dy = event.clientY - start.clientY;
      if (!swiping) {
        if (Math.hypot(dx, dy) < SLACK) return;
        clearTimeout(timer);
        if (dx > -SLACK || Math.abs(dy) > Math.abs(dx)) {
          end();
          return;
        }
        swiping = true;
        element.append(mark);
        element.classList.add('swiping');
      }
      away = Math.min(FURTHEST, Math.max(0, -dx));
      element.style.transform = `translateX(${-away}px)`;
      mark.style.opacity = String(Math.min(1, away / SWIPE));
      mark.classList.toggle('ready', away >= SWIPE);
    }, { signal: ending.signal });

    addEventListener('pointerup', (event) => {
      if (event.pointerId !== start.pointerId) return;
      const meant = swiping && away >= SWIPE;
      end();
      if (meant) reply(message);
    }, { signal: ending.signal });
    addEventListener('pointercancel', end, { signal: ending.signal });
  }
}

/** Suppress the click that some browsers send after a long press. */
function suppressNextClick() {
  const stop = (/** @type {Event} */ event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  addEventListener('click', stop, { capture: true, once: true });
  const lifted = () => setTimeout(() => removeEventListener('click', stop, true), 50);
  addEventListener('pointerup', lifted, { once: true });
  addEventListener('pointercancel', lifted, { once: true });
}

/** @param {string} text */
async function copy(text) {
  await navigator.clipboard.writeText(text);
  toast(t('copied'));
}

/** @param {string} fileId */
function download(fileId) {
  h('a', { href: fileUrl(fileId, true), download: true }).click();
}
