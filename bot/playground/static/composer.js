/** The composer: text field, list of commands, reply bar, sending. */

import { send } from './api.js';
import { buttonById, byId, growWithText, h, hasMouse, textareaById } from './dom.js';
import { explain, toast } from './dialogs.js';
import { summary } from './format.js';
import { t } from './strings.js';

/** @typedef {import('./api.js').Message} Message */

export const TEXT_LIMIT = 4096; // characters, as in the Bot API
export const CAPTION_LIMIT = 1024;
const COUNT_FROM = 200; // the counter appears when this many characters are left

/** Set up the composer. @param {(messages: Message[]) => void} onSent */
export function createComposer(onSent) {
  const field = textareaById('text');
  const list = byId('commands');
  const listButton = buttonById('commands-button');
  const counter = byId('text-left');
  /** @type {import('./api.js').Command[]} */
  let commands = [];
  /** @type {Message | null} */
  let replyTo = null;
  let selected = -1;

  const focus = () => hasMouse() && field.focus();

  function refresh() {
    const length = field.value.trim().length;
    const left = TEXT_LIMIT - length;
    buttonById('send').disabled = length === 0 || left < 0;
    counter.hidden = left > COUNT_FROM;
    counter.textContent = String(left);
    counter.classList.toggle('over', left < 0);
    growWithText(field);
  }

  /**
   * Send a text that is not in the field, such as a command.
   * @param {string} text
   * @returns {Promise<boolean>} whether it was sent
   */
  async function sendText(text) {
    const reply = replyTo;
    setReply(null);
    try {
      onSent(await send({ text, replyTo: reply?.message_id }));
      return true;
    } catch (error) {
      toast(explain(error));
      if (!replyTo) setReply(reply);
      return false;
    }
  }

  async function submit() {
    const text = field.value.trim();
    if (!text || text.length > TEXT_LIMIT) return;
    closeCommands();
    field.value = '';
    refresh();
    if (await sendText(text)) return;
    field.value = field.value ? `${text}\n${field.value}` : text;
    refresh();
  }

  /** @param {Message | null} message */
  function setReply(message) {
    replyTo = message;
    byId('reply-bar').hidden = !message;
    if (!message) return;
    byId('reply-name').textContent = t('reply_to', { name: message.from.is_bot ? message.from.first_name : t('you') });
    byId('reply-text').textContent = summary(message);
    field.focus();
  }

  /** @param {string} typed the field's text; only commands that start with it are listed */
  function openCommands(typed) {
    const fitting = commands.filter(({ command }) => `/${command}`.startsWith(typed.toLowerCase()));
    if (!fitting.length) {
      closeCommands();
      return;
    }
    selected = -1;
    list.replaceChildren(
      ...fitting.map(({ command, description }, index) =>
        h(
          'li',
          {
            role: 'option',
            id: `command-${index}`,
            'aria-selected': 'false',
            'data-command': `/${command}`,
            'data-testid': 'command',
            onclick: () => pick(`/${command}`),
          },
          h('b', {}, `/${command}`),
          h('span', {}, description),
        )
      ),
    );
    list.hidden = false;
    listButton.setAttribute('aria-expanded', 'true');
  }

  function closeCommands() {
    list.hidden = true;
    selected = -1;
    field.removeAttribute('aria-activedescendant');
    listButton.setAttribute('aria-expanded', 'false');
  }

  /** @param {string} command */
  function pick(command) {
    closeCommands();
    if (field.value.startsWith('/')) field.value = '';
    refresh();
    sendText(command);
    focus();
  }

  /** @param {number} step */
  function walk(step) {
    const options = [...list.children];
    selected = (selected + step + options.length + (selected < 0 && step < 0 ? 1 : 0)) % options.length;
    options.forEach((option, index) => option.setAttribute('aria-selected', String(index === selected)));
    options[selected].scrollIntoView({ block: 'nearest' });
    field.setAttribute('aria-activedescendant', options[selected].id);
  }

  field.addEventListener('input', () => {
    refresh();
    if (/^\/\w*$/.test(field.value)) openCommands(field.value);
    else closeCommands();
  });

  field.addEventListener('keydown', (event) => {
    // While an input method composes text, it handles the keys; Safari reports 229 then.
    if (event.isComposing || event.keyCode === 229) return;
    const listed = !list.hidden;
    const current = list.children[selected];
    if (listed && event.key === 'ArrowDown') walk(1);
    else if (listed && event.key === 'ArrowUp') walk(-1);
    else if (listed && event.key === 'Tab' && !event.shiftKey) {
      field.value = `${(current ?? list.children[0]).getAttribute('data-command')} `;
      closeCommands();
      refresh();
    } else if (event.key === 'Enter' && !event.shiftKey) {
      if (listed && current) pick(current.getAttribute('data-command') ?? '');
      else submit();
    } else if (event.key === 'Escape' && listed) closeCommands();
    else if (event.key === 'Escape' && replyTo) setReply(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !event.defaultPrevented && !document.querySelector('dialog[open]')) setReply(null);
  });
  document.addEventListener('pointerdown', (event) => {
    if (
      !list.hidden && event.target instanceof Node && !byId('composer').contains(event.target) &&
      !list.contains(event.target)
    ) closeCommands();
  });
  listButton.addEventListener('click', () => {
    if (list.hidden) openCommands('/');
    else closeCommands();
    focus();
  });
  byId('reply-cancel').addEventListener('click', () => setReply(null));
  byId('composer').addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
    field.focus();
  });
  refresh();

  return {
    sendText,
    setReply,
    focus,
    replyTo: () => replyTo,
    /** @param {import('./api.js').Command[]} all */
    setCommands(all) {
      commands = all;
      if (!list.hidden) openCommands(/^\/\w*$/.test(field.value) ? field.value : '/');
      listButton.hidden = all.length === 0;
    },
    /** @returns {string} the field's text, which is removed from it */
    takeText() {
      const text = field.value.trim();
      field.value = '';
      refresh();
      return text;
    },
    /** @param {string} text */
    putText(text) {
      field.value = text;
      refresh();
    },
  };
}
