/** Inline buttons: a pressed button shows that it waits until the bot answers. */

import * as api from './api.js';
import { explain, showAlert, toast } from './dialogs.js';
import { t } from './strings.js';

/** @typedef {import('./api.js').Message} Message */
/** @typedef {import('./api.js').InlineButton} InlineButton */

const LONGEST_MS = 30_000; // then a callback query counts as unanswered
const MAX_EARLY = 20; // answers that arrived before the press was confirmed

/**
 * Handle presses of inline buttons.
 * @param {{open: (url: string, title: string) => void}} miniApp
 * @param {(messageId: number) => void} redraw
 */
export function createButtons(miniApp, redraw) {
  /** Keys of the buttons that wait. @type {Set<string>} */
  const waiting = new Set();
  /** The button of each callback query. @type {Map<string, {key: string, messageId: number, timer: number}>} */
  const queries = new Map();
  /** @type {Map<string, api.Answer>} */
  const early = new Map();

  const keyOf = (/** @type {Message} */ message, /** @type {InlineButton} */ button) =>
    `${message.message_id} ${button.callback_data ?? button.web_app?.url ?? ''}`;

  /**
   * @param {string} key
   * @param {number} messageId
   * @param {boolean} wait
   */
  function mark(key, messageId, wait) {
    if (wait) waiting.add(key);
    else waiting.delete(key);
    redraw(messageId);
  }

  /** @param {api.Answer} answer */
  function show(answer) {
    if (!answer.text) return;
    if (answer.show_alert) showAlert(answer.text);
    else toast(answer.text);
  }

  /** @param {string} id */
  function settle(id) {
    const query = queries.get(id);
    if (!query) return false;
    queries.delete(id);
    clearTimeout(query.timer);
    mark(query.key, query.messageId, false);
    return true;
  }

  /** @param {api.Answer} answer */
  function answered(answer) {
    if (settle(answer.id)) {
      show(answer);
      return;
    }
    early.set(answer.id, answer);
    const oldest = early.keys().next().value;
    if (early.size > MAX_EARLY && oldest !== undefined) early.delete(oldest);
  }

  /**
   * @param {Message} message
   * @param {string} data
   * @param {string} key
   */
  async function callBack(message, data, key) {
    const { id } = await api.press(message.message_id, data);
    const timer = setTimeout(() => settle(id) && toast(t('no_answer')), LONGEST_MS);
    queries.set(id, { key, messageId: message.message_id, timer });
    const answer = early.get(id);
    early.delete(id);
    if (answer) answered(answer);
  }

  return {
    answered,
    isPending: (/** @type {Message} */ message, /** @type {InlineButton} */ button) =>
      waiting.has(keyOf(message, button)),
    /**
     * @param {Message} message
     * @param {InlineButton} button
     */
    async press(message, button) {
      const key = keyOf(message, button);
      if (waiting.has(key)) return;
      mark(key, message.message_id, true);
      try {
        if (button.pay) {
          await api.pay(message.message_id);
          mark(key, message.message_id, false);
        } else if (button.web_app) {
          const { url, title } = await api.webApp(message.message_id, button.web_app.url);
          miniApp.open(url, title);
          mark(key, message.message_id, false);
        } else if (button.callback_data !== undefined) await callBack(message, button.callback_data, key);
        else mark(key, message.message_id, false);
      } catch (error) {
        mark(key, message.message_id, false);
        toast(explain(error));
      }
    },
  };
}
