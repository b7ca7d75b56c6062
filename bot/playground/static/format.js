/** Formats times, sizes and texts with entities. */

import { h } from './dom.js';
import { currentLocale, t } from './strings.js';

/** The time of day. @param {number} seconds Unix time */
export const clock = (seconds) =>
  new Date(seconds * 1000).toLocaleTimeString(currentLocale(), { hour: '2-digit', minute: '2-digit' });

/** A key that is equal for times of the same day. @param {number} seconds Unix time */
export const dayKey = (seconds) => new Date(seconds * 1000).toDateString();

/** The day, such as "Today" or "3 May". @param {number} seconds Unix time */
export function day(seconds) {
  const then = new Date(seconds * 1000);
  const now = new Date();
  if (then.toDateString() === now.toDateString()) return t('today');
  now.setDate(now.getDate() - 1);
  if (then.toDateString() === now.toDateString()) return t('yesterday');
  const year = then.getFullYear() === new Date().getFullYear() ? undefined : 'numeric';
  return then.toLocaleDateString(currentLocale(), { day: 'numeric', month: 'long', year });
}

/** A file size with its unit. @param {number} bytes */
export function size(bytes) {
  const units = ['B', 'kB', 'MB', 'GB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toLocaleString(currentLocale(), { maximumFractionDigits: value < 10 && unit ? 1 : 0 })} ${
    units[unit]
  }`;
}

/**
 * The link's address if its scheme is http, https or mailto, else null: a message may contain any address.
 * @param {string} address
 * @returns {string | null}
 */
export function safeLink(address) {
  try {
    const url = new URL(/^[a-z][a-z0-9+.-]*:/i.test(address) ? address : `https://${address}`);
    return ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** @type {Record<string, keyof HTMLElementTagNameMap>} */
const TAGS = {
  bold: 'b',
  italic: 'i',
  underline: 'u',
  strikethrough: 's',
  code: 'code',
  pre: 'pre',
  blockquote: 'blockquote',
  expandable_blockquote: 'blockquote',
};

/**
 * @param {import('./api.js').Entity} entity
 * @param {string} text what it covers
 * @param {(command: string) => void} onCommand
 * @returns {HTMLElement}
 */
function element(entity, text, onCommand) {
  if (entity.type === 'bot_command') {
    return h('button', { type: 'button', class: 'link', onclick: () => onCommand(text) });
  }
  if (entity.type === 'url' || entity.type === 'text_link') {
    const href = safeLink(entity.url ?? text);
    if (href) return h('a', { href, target: '_blank', rel: 'noopener noreferrer' });
  }
  if (entity.type === 'email') return h('a', { href: `mailto:${text}` });
  return h(TAGS[entity.type] ?? 'span');
}

/**
 * A text with its entities. Offsets count UTF-16 units; entities nest and never overlap partly.
 * @param {string} text
 * @param {import('./api.js').Entity[]} entities
 * @param {(command: string) => void} onCommand a /command in the text was pressed
 * @returns {DocumentFragment}
 */
export function richText(text, entities, onCommand) {
  const root = document.createDocumentFragment();
  const ordered = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  /** @type {{node: Node, end: number}[]} */
  const open = [{ node: root, end: text.length }];
  let at = 0;
  const upTo = (/** @type {number} */ end) => {
    while (at < end) {
      while (open.length > 1 && open[open.length - 1].end <= at) open.pop();
      const top = open[open.length - 1];
      const stop = Math.min(end, open.length > 1 ? top.end : end);
      top.node.appendChild(document.createTextNode(text.slice(at, stop)));
      at = stop;
    }
    while (open.length > 1 && open[open.length - 1].end <= at) open.pop();
  };
  for (const entity of ordered) {
    upTo(entity.offset);
    const end = Math.min(entity.offset + entity.length, open[open.length - 1].end);
    if (end <= entity.offset) continue;
    const node = element(entity, text.slice(entity.offset, end), onCommand);
    open[open.length - 1].node.appendChild(node);
    open.push({ node, end });
  }
  upTo(text.length);
  return root;
}

/**
 * What an invoice or a message about a payment says.
 * @param {import('./api.js').Message} message
 */
export function paymentWords(message) {
  const { invoice, successful_payment, refunded_payment } = message;
  if (invoice) return `${invoice.title}\n${invoice.description}`;
  if (successful_payment) return t('paid', { stars: successful_payment.total_amount });
  if (refunded_payment) return t('refunded', { stars: refunded_payment.total_amount });
  return undefined;
}

/**
 * One line that describes a message in a quote.
 * @param {import('./api.js').Message} message
 */
export function summary(message) {
  const words = message.text ?? message.caption ?? paymentWords(message);
  if (words) return words;
  if (message.photo) return t('photo');
  if (message.document) return message.document.file_name ?? t('document');
  if (message.sticker) return `${message.sticker.emoji ?? ''} ${t('sticker')}`.trim();
  return t('unknown');
}
