/** The list of messages, and its scroll position. */

import { album, bubble, isMine } from './bubble.js';
import { buttonById, byId, h, prefersReducedMotion } from './dom.js';
import { day, dayKey } from './format.js';

/** @typedef {import('./api.js').Message} Message */

const NEAR_END = 90; // px from the end within which new messages scroll into view
const GROUP_SECONDS = 300; // messages of one sender within this time are grouped

/**
 * Create the list.
 * @param {import('./bubble.js').Actions} actions
 * @param {() => void} onChange after messages came or went
 */
export function createLog(actions, onChange) {
  const scroller = byId('log');
  const list = byId('messages');
  const toEnd = buttonById('to-end');
  const unread = byId('unread');
  /** @type {Map<number, Message>} */
  const messages = new Map();
  /** The bot's reactions, by message id. @type {Map<number, string>} */
  const reactions = new Map();
  /** The elements shown, one per message or album. @type {Map<string, {element: HTMLElement, ids: number[], json: string}>} */
  const blocks = new Map();
  /** @type {Map<string, HTMLElement>} */
  const days = new Map();
  let missed = 0;
  let pinned = true; // follow new messages; scrolling up ends it, reaching the end resumes it
  let lastTop = 0;
  let quiet = true; // no animation for messages that are there from the start

  const key = (/** @type {Message} */ message) =>
    message.media_group_id && message.photo ? `album ${message.media_group_id}` : `message ${message.message_id}`;
  const ordered = () => [...messages.values()].sort((a, b) => a.message_id - b.message_id);
  const atEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END;

  /** @param {boolean} [smooth] */
  function scrollToEnd(smooth = false) {
    pinned = true;
    missed = 0;
    scroller.scrollTo({
      top: scroller.scrollHeight,
      behavior: smooth && !prefersReducedMotion() ? 'smooth' : 'instant',
    });
    showMissed();
  }

  function showMissed() {
    toEnd.hidden = pinned || atEnd();
    unread.hidden = missed === 0;
    unread.textContent = String(missed);
  }

  /** Build new and changed blocks and remove deleted ones; others stay, with their focus and selection. */
  function draw() {
    /** @type {Map<string, Message[]>} */
    const wanted = new Map();
    for (const message of ordered()) {
      const name = key(message);
      const reaction = reactions.get(message.message_id);
      wanted.set(name, [...(wanted.get(name) ?? []), reaction ? { ...message, reaction } : message]);
    }
    /** @type {HTMLElement[]} */
    const nodes = [];
    /** @type {Message | null} */
    let before = null;
    /** @type {HTMLElement | null} */
    let above = null;
    for (const [name, group] of wanted) {
      const head = group[0];
      const newDay = !before || dayKey(head.date) !== dayKey(before.date);
      if (newDay) nodes.push(dayNode(head.date));
      const element = drawBlock(name, group);
      const joins = !newDay && before?.from.id === head.from.id && head.date - before.date < GROUP_SECONDS;
      element.classList.toggle('joins', joins);
      above?.classList.toggle('joined', joins);
      element.classList.remove('joined');
      nodes.push(element);
      above = element;
      before = head;
    }
    for (const name of blocks.keys()) if (!wanted.has(name)) blocks.delete(name);
    const kept = new Set(nodes);
    for (const child of [...list.children]) if (child instanceof HTMLElement && !kept.has(child)) child.remove();
    nodes.forEach((node, index) => {
      if (list.children[index] !== node) list.insertBefore(node, list.children[index] ?? null);
    });
  }

  /** @param {number} seconds the separator of a day; the same element each time, or screen readers would repeat it */
  function dayNode(seconds) {
    const name = dayKey(seconds);
    const node = days.get(name) ?? h('div', { class: 'day' }, h('span'));
    days.set(name, node);
    const words = day(seconds);
    if (node.textContent !== words) node.replaceChildren(h('span', {}, words));
    return node;
  }

  /**
   * @param {string} name
   * @param {Message[]} group
   */
  function drawBlock(name, group) {
    const json = JSON.stringify(group);
    const old = blocks.get(name);
    if (old?.json === json) return old.element;
    const element = group.length > 1 ? album(group, actions) : bubble(group[0], actions);
    if (old) {
      const focused = old.element.contains(document.activeElement) ? document.activeElement : null;
      old.element.replaceWith(element);
      refocus(element, focused);
    } else if (!quiet) element.classList.add('arrives');
    blocks.set(name, { element, ids: group.map((message) => message.message_id), json });
    return element;
  }

  /**
   * Restore the focus in a rebuilt bubble: the same button, else the first one.
   * @param {HTMLElement} element
   * @param {Element | null} focused
   */
  function refocus(element, focused) {
    if (!(focused instanceof HTMLElement)) return;
    const name = focused.dataset.key;
    const same = name === undefined ? null : element.querySelector(`[data-key="${CSS.escape(name)}"]`);
    const next = same ?? element.querySelector('button, a');
    if (next instanceof HTMLElement) next.focus({ preventScroll: true });
  }

  /**
   * @param {() => void} change
   * @param {boolean} [smooth]
   */
  function updateKeepingScroll(change, smooth = false) {
    change();
    draw();
    onChange();
    if (pinned) scrollToEnd(smooth);
    else showMissed();
  }

  scroller.addEventListener('scroll', () => {
    if (atEnd()) {
      pinned = true;
      missed = 0;
    } else if (scroller.scrollTop < lastTop) pinned = false;
    lastTop = scroller.scrollTop;
    showMissed();
  }, { passive: true });
  toEnd.addEventListener('click', () => scrollToEnd(true));
  // Keep the end in view when the height changes (keyboard, reply bar, rotation).
  new ResizeObserver(() => pinned && scrollToEnd()).observe(scroller);

  return {
    scrollToEnd,
    /** @param {Message} message */
    upsert(message) {
      const isNew = !messages.has(message.message_id);
      if (isNew && isMine(message)) pinned = true;
      if (isNew && !pinned) missed += 1;
      updateKeepingScroll(() => messages.set(message.message_id, message), isNew);
    },
    /** @param {number} id */
    remove(id) {
      updateKeepingScroll(() => messages.delete(id));
    },
    /**
     * @param {number} id
     * @param {string | null} emoji
     */
    react(id, emoji) {
      updateKeepingScroll(() => {
        if (emoji) reactions.set(id, emoji);
        else reactions.delete(id);
      });
    },
    /**
     * @param {Message[]} all what the chat holds now
     * @param {Record<string, string>} [reacted] the bot's reactions, by message id
     */
    reset(all, reacted = {}) {
      quiet = true;
      updateKeepingScroll(() => {
        messages.clear();
        reactions.clear();
        for (const [id, emoji] of Object.entries(reacted)) reactions.set(Number(id), emoji);
        for (const message of all) messages.set(message.message_id, message);
      });
      quiet = false;
    },
    /** Rebuild one message, or all: language or waiting buttons have changed. @param {number} [id] */
    redraw(id) {
      for (const block of blocks.values()) if (id === undefined || block.ids.includes(id)) block.json = '';
      updateKeepingScroll(() => {});
    },
    /** @param {number} id */
    get: (id) => messages.get(id),
    all: ordered,
    /** @param {number} id scroll to this message and highlight it */
    show(id) {
      const element = list.querySelector(`[data-message-id="${id}"]`);
      const target = element?.closest('.message');
      if (!target) return;
      target.scrollIntoView({ block: 'center', behavior: prefersReducedMotion() ? 'instant' : 'smooth' });
      target.classList.remove('pointed');
      requestAnimationFrame(() => target.classList.add('pointed'));
    },
  };
}
