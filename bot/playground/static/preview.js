/** The dialog before files are sent: as photo or file, and with which caption. */

import { ApiError, send } from './api.js';
import { CAPTION_LIMIT } from './composer.js';
import {
  buttonById,
  byId,
  dialogById,
  growWithText,
  h,
  hasMouse,
  icon,
  inputById,
  onBackdrop,
  textareaById,
} from './dom.js';
import { explain, toast } from './dialogs.js';
import { size } from './format.js';
import { t } from './strings.js';

const MAX_FILES = 10; // an album's limit in the Bot API
const OPERATIONS = ['/remove_subject', '/remove_background', '/erase'];

/**
 * Set up the dialog.
 * @param {{
 *   replyTo: () => import('./api.js').Message | null,
 *   takeText: () => string,
 *   putText: (text: string) => void,
 *   onSent: (messages: import('./api.js').Message[]) => void,
 * }} composer
 */
export function createPreview({ replyTo, takeText, putText, onSent }) {
  const dialog = dialogById('preview');
  const caption = textareaById('caption');
  const asFile = inputById('as-file');
  const grid = byId('preview-files');
  const progress = /** @type {HTMLProgressElement} */ (byId('preview-progress'));
  const sendButton = buttonById('preview-send');
  /** @type {{file: File, url: string, node: HTMLElement}[]} */
  let chosen = [];
  let operations = OPERATIONS;
  let sending = false;
  let own = ''; // the person's caption while a chip's command is in the field

  /** @param {File} file */
  function add(file) {
    const url = URL.createObjectURL(file);
    const remove = h('button', {
      type: 'button',
      class: 'icon-button small',
      'aria-label': t('remove', { name: file.name }),
      onclick: () => drop(node),
    }, icon('close'));
    const picture = h('img', { src: url, alt: file.name, class: 'chequer' });
    const node = h(
      'figure',
      { 'data-testid': 'preview-file' },
      picture,
      h('figcaption', {}, h('b', {}, file.name), h('span', {}, size(file.size))),
      remove,
    );
    // Not a picture, or one that this browser cannot show, such as HEIC.
    picture.addEventListener('error', () => {
      node.classList.add('no-picture');
      picture.replaceWith(h('span', { class: 'tile sign' }, icon('file')));
    });
    chosen.push({ file, url, node });
    grid.append(node);
  }

  /** @param {HTMLElement} node */
  function drop(node) {
    const gone = chosen.find((item) => item.node === node);
    if (!gone || sending) return;
    URL.revokeObjectURL(gone.url);
    node.remove();
    chosen = chosen.filter((item) => item !== gone);
    if (chosen.length) refresh();
    else dialog.close();
  }

  function refresh() {
    const n = chosen.length;
    const one = asFile.checked ? t('send_one_file') : t('send_one_photo');
    byId('preview-title').textContent = n === 1
      ? one
      : asFile.checked
      ? t('send_many_files', { n })
      : t('send_many_photos', { n });
    grid.classList.toggle('as-file', asFile.checked);
    grid.classList.toggle('several', n > 1);
    for (const chip of byId('preview-chips').querySelectorAll('button')) {
      chip.setAttribute('aria-pressed', String(chip.textContent === caption.value.trim()));
    }
    const over = caption.value.trim().length - CAPTION_LIMIT;
    if (over > 0) showError(t('too_long', { n: over }), false);
    else if (byId('preview-error').dataset.kind === 'length') byId('preview-error').hidden = true;
    sendButton.disabled = sending || over > 0;
    growWithText(caption);
  }

  /**
   * @param {string} text
   * @param {boolean} offerFile
   */
  function showError(text, offerFile) {
    byId('preview-error').hidden = false;
    byId('preview-error').dataset.kind = offerFile ? 'photo' : 'length';
    byId('preview-error-text').textContent = text;
    byId('preview-as-file').hidden = !offerFile;
  }

  function forget() {
    for (const item of chosen) URL.revokeObjectURL(item.url);
    chosen = [];
    grid.replaceChildren();
    byId('preview-error').hidden = true;
    caption.value = '';
    own = '';
  }

  function drawChips() {
    byId('preview-chips').replaceChildren(
      ...operations.map((command) =>
        h('button', {
          type: 'button',
          class: 'chip',
          'aria-pressed': 'false',
          'data-testid': 'chip',
          onclick: () => {
            const now = caption.value.trim();
            if (!operations.includes(now)) own = caption.value;
            caption.value = now !== command ? command : own.trim() === command ? '' : own;
            refresh();
          },
        }, command)
      ),
    );
  }

  async function submit() {
    if (sending || !chosen.length || caption.value.trim().length > CAPTION_LIMIT) return;
    sending = true;
    byId('preview-error').hidden = true;
    progress.value = 0;
    progress.hidden = false;
    refresh();
    try {
      const sent = await send({
        text: caption.value.trim(),
        replyTo: replyTo()?.message_id,
        files: chosen.map(({ file }) => file),
        as: asFile.checked ? 'file' : 'photo',
      }, (share) => (progress.value = share));
      caption.value = '';
      dialog.close();
      onSent(sent);
    } catch (error) {
      const asked = error instanceof ApiError && error.status >= 400 && error.status < 500;
      showError(explain(error), asked && error.status !== 413 && !asFile.checked);
    } finally {
      sending = false;
      progress.hidden = true;
      refresh();
    }
  }

  /** Close without sending; the caption goes back to the composer. */
  function leave() {
    if (sending) return;
    const words = operations.includes(caption.value.trim()) ? own : caption.value.trim();
    if (words) putText(words);
    dialog.close();
  }

  dialog.addEventListener('close', forget);
  dialog.addEventListener('cancel', (event) => {
    event.preventDefault();
    leave();
  });
  onBackdrop(dialog, leave);
  byId('preview-close').addEventListener('click', leave);
  byId('preview-as-file').addEventListener('click', () => {
    asFile.checked = true;
    submit();
  });
  byId('preview-form').addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
  });
  asFile.addEventListener('change', refresh);
  caption.addEventListener('input', refresh);
  caption.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    submit();
  });

  return {
    /** @param {import('./api.js').Command[]} commands the chips are the bot's commands among the three operations */
    setCommands(commands) {
      const known = OPERATIONS.filter((name) => commands.some(({ command }) => `/${command}` === name));
      operations = known.length ? known : OPERATIONS;
      drawChips();
      refresh();
    },
    /**
     * Show the dialog with these files, or add them to it.
     * @param {Iterable<File>} files
     * @param {'photo' | 'file' | null} [as] null: as photos if all are pictures
     */
    open(files, as = null) {
      if (sending) return;
      const all = [...files];
      if (!all.length) return;
      const room = MAX_FILES - chosen.length;
      for (const file of all.slice(0, room)) add(file);
      const pictures = chosen.every(({ file }) => file.type.startsWith('image/'));
      if (!dialog.open) {
        asFile.checked = as ? as === 'file' : !pictures;
        caption.value = takeText();
        own = caption.value;
        dialog.showModal();
        // On a phone focusing the field would open the keyboard over the picture.
        (hasMouse() ? caption : sendButton).focus({ preventScroll: true });
      } else if (as === 'file' || !pictures) asFile.checked = true;
      if (all.length > room) toast(t('too_many', { n: MAX_FILES })); // after the dialog was opened, to be above it
      refresh();
    },
    isOpen: () => dialog.open,
  };
}
