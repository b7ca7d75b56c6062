/**
 * Builds the elements of a message or an album.
 *
 * @typedef {import('./api.js').Message} Message
 * @typedef {import('./api.js').InlineButton} InlineButton
 * @typedef {{
 *   onCommand: (command: string) => void,
 *   onButton: (message: Message, button: InlineButton) => void,
 *   onPicture: (message: Message) => void,
 *   onQuote: (messageId: number) => void,
 *   onReply: (message: Message) => void,
 *   isPending: (message: Message, button: InlineButton) => boolean,
 * }} Actions
 */

import { fileUrl } from './api.js';
import { h, icon } from './dom.js';
import { clock, paymentWords, richText, safeLink, size, summary } from './format.js';
import { t } from './strings.js';

const WIDEST = 416; // px: a photo on a wide screen
const TALLEST = 480;
const SMALLEST = 120;
const RATIO_LIMITS = { min: 0.45, max: 3 }; // wider and taller photos are cropped
const PREVIEWED = /^image\/(png|webp|gif|jpeg)$/; // types that the playground serves inline
const TRANSPARENT = /^image\/(png|webp|gif)$/;
const SELF_PREVIEW_BYTES = 12e6; // thumbnails are JPEGs, without transparency: show the file itself up to this size

/** Whether the person sent the message. @param {Message} message */
export const isMine = (message) => !message.from.is_bot;

/** Whether a browser can show the file. @param {import('./api.js').Doc} doc */
export const isPicture = (doc) => PREVIEWED.test(doc.mime_type ?? '');

/** Whether the file may have transparent parts. @param {import('./api.js').Doc} doc */
export const mayBeTransparent = (doc) => TRANSPARENT.test(doc.mime_type ?? '');

/** The largest size of the message's photo. @param {Message} message */
export const largest = (message) => message.photo?.[message.photo.length - 1];

/** @param {Message} message */
const senderName = (message) => (isMine(message) ? t('you') : message.from.first_name);

/** The bot's reaction to a message. @param {Message} message */
const reaction = (message) =>
  message.reaction
    ? h('span', {
      class: 'reaction',
      role: 'img',
      'aria-label': t('reaction', { name: t('bot'), emoji: message.reaction }),
      'data-testid': 'reaction',
    }, message.reaction)
    : null;

/**
 * @param {Message} message
 * @param {Actions} actions
 * @returns {HTMLElement}
 */
function photoButton(message, actions) {
  const photo = largest(message);
  if (!photo) throw new Error('no photo');
  const image = h('img', {
    src: fileUrl(photo.file_id),
    alt: message.caption ?? t('photo'),
    width: photo.width,
    height: photo.height,
    decoding: 'async',
    draggable: 'false',
  });
  const button = h(
    'button',
    {
      type: 'button',
      class: 'photo',
      'aria-label': `${t('open')}: ${t('photo')}`,
      onclick: () => actions.onPicture(message),
    },
    image,
    reaction(message),
  );
  image.addEventListener('error', () => button.classList.add('broken'));
  return button;
}

/** @param {{width: number, height: number}} photo */
const shape = (photo) => Math.min(RATIO_LIMITS.max, Math.max(RATIO_LIMITS.min, photo.width / photo.height || 1));

/**
 * @param {Message} message
 * @param {Actions} actions
 */
function photoBlock(message, actions) {
  const photo = largest(message);
  const button = photoButton(message, actions);
  if (!photo) return button;
  const ratio = shape(photo);
  const width = Math.min(WIDEST, TALLEST * ratio, Math.max(photo.width, SMALLEST));
  button.style.width = `${Math.round(width)}px`;
  button.style.aspectRatio = String(ratio);
  return button;
}

/**
 * @param {Message} message
 * @param {Actions} actions
 */
function documentBlock(message, actions) {
  const doc = message.document;
  if (!doc) throw new Error('no document');
  const name = doc.file_name ?? t('document');
  const itself = mayBeTransparent(doc) && (doc.file_size ?? 0) < SELF_PREVIEW_BYTES;
  const preview = itself ? doc.file_id : doc.thumbnail?.file_id;
  const picture = preview
    ? h('img', {
      src: fileUrl(preview),
      alt: '',
      class: mayBeTransparent(doc) ? 'chequer' : null,
      decoding: 'async',
      draggable: 'false',
    })
    : icon('file');
  const details = [
    doc.file_size === undefined ? '' : size(doc.file_size),
    name.split('.').slice(1).pop()?.toUpperCase(),
  ];
  const tile = isPicture(doc)
    ? h('button', {
      type: 'button',
      class: preview ? 'tile' : 'tile sign',
      'aria-label': `${t('open')}: ${name}`,
      onclick: () => actions.onPicture(message),
    }, picture)
    : h('span', { class: preview ? 'tile' : 'tile sign' }, picture);
  return h(
    'div',
    { class: 'document' },
    tile,
    h(
      'a',
      {
        class: 'about',
        href: fileUrl(doc.file_id, true),
        download: name,
        title: t('download'),
        'data-testid': 'download',
      },
      h('b', {}, name),
      h('span', {}, icon('download'), details.filter(Boolean).join(' · ')),
    ),
  );
}

/**
 * @param {Message} message
 * @param {Actions} actions
 */
function quote(message, actions) {
  const to = message.reply_to_message;
  if (!to) return null;
  const small = to.photo?.[0] ?? to.document?.thumbnail;
  return h(
    'button',
    {
      type: 'button',
      class: 'quoted',
      'data-testid': 'reply-quote',
      onclick: () => actions.onQuote(to.message_id),
    },
    small && h('img', { src: fileUrl(small.file_id), alt: '', width: 36, height: 36 }),
    h('span', {}, h('b', {}, senderName(to)), h('span', {}, summary(to))),
  );
}

/** @param {Message} message */
function meta(message) {
  const edited = message.edit_date && isMine(message) ? `${t('edited')} ` : '';
  return h(
    'span',
    { class: 'meta' },
    edited,
    h('time', { datetime: new Date(message.date * 1000).toISOString() }, clock(message.date)),
    isMine(message) && icon('check'),
  );
}

/**
 * @param {Message} message
 * @param {Actions} actions
 */
function textBlock(message, actions) {
  const text = message.text ?? message.caption ?? paymentWords(message);
  if (!text) return null;
  return h(
    'div',
    { class: 'text', dir: 'auto' },
    richText(text, message.entities ?? message.caption_entities ?? [], actions.onCommand),
  );
}

/**
 * @param {Message} message
 * @param {Actions} actions
 */
function keyboard(message, actions) {
  /** An invoice without buttons gets one from Telegram. @type {InlineButton[][]} */
  const ownRows = message.invoice ? [[{ text: t('pay', { stars: message.invoice.total_amount }), pay: true }]] : [];
  const rows = message.reply_markup?.inline_keyboard ?? ownRows;
  if (!rows.length) return null;
  const key = (/** @type {InlineButton} */ button) => {
    const sign = button.web_app ? icon('app') : button.url ? icon('link') : null;
    const link = button.url ? safeLink(button.url) : null;
    if (link) {
      return h(
        'a',
        { class: 'key', href: link, target: '_blank', rel: 'noopener noreferrer', 'data-testid': 'inline-button' },
        h('span', {}, button.text),
        sign,
      );
    }
    const pending = actions.isPending(message, button);
    return h(
      'button',
      {
        type: 'button',
        class: pending ? 'key pending' : 'key',
        'aria-busy': pending ? 'true' : null,
        'data-testid': 'inline-button',
        'data-key': button.callback_data ?? button.web_app?.url ?? '',
        onclick: () => actions.onButton(message, button),
      },
      h('span', {}, button.text),
      sign,
    );
  };
  return h('div', { class: 'keyboard' }, ...rows.map((row) => h('div', { class: 'keys' }, ...row.map(key))));
}

/** @param {Message} message */
const attributesOf = (message) => ({
  'data-testid': 'message',
  'data-message-id': message.message_id,
  'data-from': isMine(message) ? 'me' : 'bot',
  'aria-label': t('message_from', { name: senderName(message), time: clock(message.date) }),
});

/**
 * @param {Message} message
 * @param {Actions} actions
 */
const replyButton = (message, actions) =>
  h('button', {
    type: 'button',
    class: 'reply-button',
    'data-testid': 'reply-to',
    'aria-label': t('reply_to', { name: senderName(message) }),
    title: t('reply'),
    onclick: () => actions.onReply(message),
  }, icon('reply'));

/**
 * The element of a message.
 * @param {Message} message
 * @param {Actions} actions
 * @returns {HTMLElement}
 */
export function bubble(message, actions) {
  const text = textBlock(message, actions);
  const sticker = message.sticker &&
    h('div', { class: 'sticker', role: 'img', 'aria-label': t('sticker') }, message.sticker.emoji ?? '🙂');
  const media = message.photo
    ? photoBlock(message, actions)
    : message.document
    ? documentBlock(message, actions)
    : sticker;
  const kind = message.photo ? 'has-photo' : message.document ? 'has-document' : sticker ? 'has-sticker' : 'has-text';
  const unknown = !media && !text && h('div', { class: 'text unknown' }, t('unknown'));
  const keys = keyboard(message, actions);
  return h(
    'article',
    {
      class: ['message', isMine(message) ? 'me' : 'bot', kind, text && 'worded', message.reply_to_message && 'quotes']
        .filter(Boolean).join(' '),
      ...attributesOf(message),
    },
    h(
      'div',
      { class: 'line' },
      h(
        'div',
        { class: 'bubble' },
        quote(message, actions),
        media,
        text,
        unknown,
        !message.photo && reaction(message),
        meta(message),
      ),
      replyButton(message, actions),
    ),
    keys,
  );
}

/** Pictures per row, by the number of pictures. @type {Record<number, number[]>} */
const ROWS = {
  1: [1],
  2: [2],
  3: [1, 2],
  4: [2, 2],
  5: [2, 3],
  6: [3, 3],
  7: [2, 2, 3],
  8: [2, 3, 3],
  9: [3, 3, 3],
  10: [3, 3, 2, 2],
};

/**
 * The element of an album: one bubble with several messages.
 * @param {Message[]} messages
 * @param {Actions} actions
 * @returns {HTMLElement}
 */
export function album(messages, actions) {
  const grid = h('div', { class: 'album', role: 'group', 'aria-label': t('album') });
  let next = 0;
  for (const count of ROWS[messages.length] ?? messages.map(() => 1)) {
    const row = messages.slice(next, next + count);
    next += count;
    const ratios = row.map((message) => shape(largest(message) ?? { width: 1, height: 1 }));
    const whole = ratios.reduce((sum, ratio) => sum + ratio, 0);
    row.forEach((message, index) => {
      const cell = photoButton(message, actions);
      cell.style.flex = `${ratios[index]} 1 calc(${(100 * ratios[index]) / whole}% - 2px)`;
      // Limit the height of rows of tall pictures, and raise that of rows of wide ones.
      cell.style.aspectRatio = String(ratios[index] * Math.min(1.6, Math.max(1, 1.2 / whole)));
      grid.append(h('article', { class: 'item', ...attributesOf(message) }, cell, textBlock(message, actions)));
    });
  }
  const first = messages[0];
  const worded = messages.some((message) => message.caption);
  return h(
    'div',
    {
      class: `message ${isMine(first) ? 'me' : 'bot'} has-photo has-album${worded ? ' worded' : ''}${
        first.reply_to_message ? ' quotes' : ''
      }`,
    },
    h(
      'div',
      { class: 'line' },
      h('div', { class: 'bubble' }, quote(first, actions), grid, meta(messages[messages.length - 1])),
      replyButton(first, actions),
    ),
  );
}
