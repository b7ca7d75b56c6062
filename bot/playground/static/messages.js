/** The log: which messages there are, in order, and where the reader is. */

import { album, bubble, isMine } from './bubble.js';
import { buttonById, byId, calm, h } from './dom.js';
import { day, dayKey } from './format.js';

/** @typedef {import("./api.js").Message} Message */

const NEAR_END = 90; // px: who is this near to the end wants to see what comes
const TOGETHER_S = 300; // messages of one person within five minutes stand close together

/**
 * @param {import("./bubble.js").Actions} actions
 * @param {() => void} onChange after messages came or went
 */
export function createLog(actions, onChange) {
  const scroller = byId('log');
  const list = byId('messages');
  const toEnd = buttonById('to-end');
  const unread = byId('unread');
  /** @type {Map<number, Message>} */
  const messages = new Map();
  /** Blocks as they stand: a message, or an album. @type {Map<string, {element: HTMLElement, ids: number[], json: string}>} */
  const blocks = new Map();
  /** @type {Map<string, HTMLElement>} */
  const days = new Map();
  let missed = 0;
  let pinned = true; // the reader follows what comes; a scroll upwards ends that, the end resumes it
  let lastTop = 0;
  let quiet = true; // what is there from the start does not come flying in

  const key = (/** @type {Message} */ message) =>
    message.media_group_id && message.photo ? `album ${message.media_group_id}` : `message ${message.message_id}`;
  const ordered = () => [...messages.values()].sort((a, b) => a.message_id - b.message_id);
  const atEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_END;

  /** @param {boolean} [smooth] */
  function scrollToEnd(smooth = false) {
    pinned = true;
    missed = 0;
    scroller.scrollTo({ top: scroller.scrollHeight, behavior: smooth && !calm() ? 'smooth' : 'instant' });
    showMissed();
  }

  function showMissed() {
    toEnd.hidden = pinned || atEnd();
    unread.hidden = missed === 0;
    unread.textContent = String(missed);
  }

  /** Build what is new or has changed, drop what is gone, and leave all else alone: focus and selection live there. */
  function draw() {
    /** @type {Map<string, Message[]>} */
    const wanted = new Map();
    for (const message of ordered()) {
      const name = key(message);
      wanted.set(name, [...(wanted.get(name) ?? []), message]);
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
      const joins = !newDay && before?.from.id === head.from.id && head.date - before.date < TOGETHER_S;
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

  /** @param {number} seconds the line between two days; the same element each time, or it would be read out again */
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
   * A bubble that was built anew gives the keyboard back what it had, or its nearest relative.
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
  function keepingPlace(change, smooth = false) {
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
  // The keyboard coming up, a reply bar, a turned phone: the end stays in sight.
  new ResizeObserver(() => pinned && scrollToEnd()).observe(scroller);

  return {
    scrollToEnd,
    /** @param {Message} message */
    upsert(message) {
      const isNew = !messages.has(message.message_id);
      if (isNew && isMine(message)) pinned = true;
      if (isNew && !pinned) missed += 1;
      keepingPlace(() => messages.set(message.message_id, message), isNew);
    },
    /** @param {number} id */
    remove(id) {
      keepingPlace(() => messages.delete(id));
    },
    /** @param {Message[]} all what the chat holds now */
    reset(all) {
      quiet = true;
      keepingPlace(() => {
        messages.clear();
        for (const message of all) messages.set(message.message_id, message);
      });
      quiet = false;
    },
    /** Say everything again: the language has changed, or a button began or ceased to wait. @param {number} [id] */
    redraw(id) {
      for (const block of blocks.values()) if (id === undefined || block.ids.includes(id)) block.json = '';
      keepingPlace(() => {});
    },
    /** @param {number} id */
    get: (id) => messages.get(id),
    all: ordered,
    /** @param {number} id bring it into sight and point at it */
    show(id) {
      const element = list.querySelector(`[data-message-id="${id}"]`);
      const target = element?.closest('.message');
      if (!target) return;
      target.scrollIntoView({ block: 'center', behavior: calm() ? 'instant' : 'smooth' });
      target.classList.remove('pointed');
      requestAnimationFrame(() => target.classList.add('pointed'));
    },
  };
}
