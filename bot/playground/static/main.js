/** The chat page: connects its parts with each other and with the playground's events. */

import './modal.js';

import * as api from './api.js';
import { watchFiles } from './attach.js';
import { isMine } from './bubble.js';
import { createButtons } from './buttons.js';
import { createComposer } from './composer.js';
import { ask, explain, openMenu, toast, watchMenus } from './dialogs.js';
import { buttonById, byId } from './dom.js';
import { watchGestures } from './gestures.js';
import { createLog } from './messages.js';
import { createMiniApp } from './miniapp.js';
import { createPreview } from './preview.js';
import { setLanguage, t } from './strings.js';
import { createViewer } from './viewer.js';

const ACTION_MS = 5000; // a chat action is shown for 5 s (docs/telegram.md#chat-actions)

/** @type {api.Chat | null} */
let chat = null;
let connected = false;
let action = '';
let unseen = 0;
/** @type {number | undefined} */
let actionTimer;

const viewer = createViewer();
const miniApp = createMiniApp();
const composer = createComposer(sent);
const buttons = createButtons(miniApp, (id) => log.redraw(id));
const log = createLog(
  {
    onCommand: (command) => composer.sendText(command),
    onButton: buttons.press,
    isPending: buttons.isPending,
    onPicture: viewer.open,
    onQuote: (id) => log.show(id),
    onReply: (message) => composer.setReply(message),
  },
  updateAroundLog,
);
const preview = createPreview({
  ...composer,
  onSent: (messages) => {
    composer.setReply(null);
    sent(messages);
    composer.focus();
  },
});
const files = watchFiles(preview);

/** @param {api.Message[]} messages */
function sent(messages) {
  for (const message of messages) log.upsert(message);
  log.scrollToEnd(true);
}

/** Whether a message has a photo or a file. @param {api.Message} message */
const hasMedia = (message) => Boolean(message.photo ?? message.document);

function drawTitle() {
  const name = chat?.bot.first_name ?? t('playground');
  document.title = unseen ? `(${unseen}) ${name}` : name;
}

/** Count a message that arrives while the page is in the background; the title shows the count. */
function countUnseen() {
  if (!document.hidden) return;
  unseen += 1;
  drawTitle();
}

/** Update greeting, reply bar and samples after the messages changed. */
function updateAroundLog() {
  if (!chat) return;
  const all = log.all();
  byId('greeting').hidden = all.length > 0;
  const target = composer.replyTo();
  if (target && !log.get(target.message_id)) composer.setReply(null);
  files.offerSamples(!all.some((message) => isMine(message) && hasMedia(message)));
}

/** @type {Record<string, import('./strings.js').Key>} */
const ACTIONS = { typing: 'typing', upload_photo: 'uploading_photo', upload_document: 'uploading_file' };

function drawStatus() {
  const line = byId('status');
  const doing = connected && action ? t(ACTIONS[action] ?? 'typing') : '';
  line.textContent = connected ? doing || t('bot') : t('connecting');
  line.classList.toggle('busy', Boolean(doing));
}

/** @param {string} kind */
function setAction(kind) {
  action = kind;
  clearTimeout(actionTimer);
  if (kind) actionTimer = setTimeout(() => setAction(''), ACTION_MS);
  drawStatus();
}

/** @param {string} code */
function setPersonLanguage(code) {
  setLanguage(code);
  if (!chat) return;
  chat.person.language_code = code;
  byId('bot-name').textContent = chat.bot.first_name;
  byId('about').textContent = chat.about;
  byId('log').setAttribute('aria-label', t('chat', { name: chat.bot.first_name }));
  drawTitle();
  drawStatus();
  log.redraw();
}

/** @param {string} code */
async function chooseLanguage(code) {
  try {
    await api.setLanguage(code);
    const { about } = await api.chat(); // it is in the person's language
    if (chat) chat.about = about;
    setPersonLanguage(code);
    files.reloadSamples();
  } catch (error) {
    toast(explain(error));
  }
}

async function clearChat() {
  const buttonsOfQuestion = [{ id: 'no', text: t('cancel') }, { id: 'yes', text: t('clear'), kind: 'danger' }];
  if ((await ask({ text: t('clear_question'), buttons: buttonsOfQuestion })) !== 'yes') return;
  await api.clear().catch((error) => toast(explain(error)));
}

function openMainMenu() {
  const code = chat?.person.language_code ?? 'en';
  const speaks = (/** @type {string} */ tag) => code.toLowerCase().startsWith(tag);
  openMenu([
    { heading: t('language') },
    { text: t('english'), checked: speaks('en'), testid: 'language-en', onPick: () => chooseLanguage('en') },
    { text: t('chinese'), checked: speaks('zh'), testid: 'language-zh-hans', onPick: () => chooseLanguage('zh-hans') },
    {
      text: t('german'),
      hint: t('german_hint'),
      checked: speaks('de'),
      testid: 'language-de',
      onPick: () => chooseLanguage('de'),
    },
    { text: t('clear'), icon: 'trash', danger: true, testid: 'clear', onPick: clearChat },
  ], buttonById('menu-button'));
}

/** @type {Record<string, (data: any) => void>} */
const EVENTS = {
  message(message) {
    const before = log.get(message.message_id);
    const came = !before || (hasMedia(message) && !hasMedia(before));
    // The bot edits its status message into the result: that also ends the action.
    if (!isMine(message) && came) {
      setAction('');
      countUnseen();
    }
    log.upsert(message);
  },
  deleted: ({ message_id }) => log.remove(message_id),
  action: (data) => setAction(data.action),
  answer: (answer) => buttons.answered(answer),
  commands: ({ commands }) => setCommands(commands),
  reaction: ({ message_id, emoji }) => log.react(message_id, emoji),
  cleared({ messages, reactions }) {
    setAction('');
    log.reset(messages, reactions);
  },
};

/** @param {api.Command[]} commands */
function setCommands(commands) {
  composer.setCommands(commands);
  preview.setCommands(commands);
}

/**
 * Make room for the on-screen keyboard in browsers that do not (Safari).
 */
function followKeyboard() {
  const view = window.visualViewport;
  if (!view) return;
  const fit = () => {
    if (view.scale > 1.01) return; // a pinch zoom, not the keyboard
    document.documentElement.style.setProperty('--height', `${Math.round(view.height)}px`);
    window.scrollTo(0, 0);
  };
  view.addEventListener('resize', fit);
  fit();
}

document.documentElement.dataset.started = 'yes'; // old.js has nothing to say
setLanguage(navigator.language);
drawStatus();
watchMenus();
followKeyboard();
watchGestures({ get: log.get, reply: (message) => composer.setReply(message), open: viewer.open });
byId('menu-button').addEventListener('click', openMainMenu);
byId('start').addEventListener('click', () => composer.sendText('/start'));
document.addEventListener('visibilitychange', () => {
  unseen = 0;
  drawTitle();
});
composer.focus();

api.follow({
  onChat(state, restarted) {
    chat = state;
    log.reset(state.messages, state.reactions);
    setPersonLanguage(state.person.language_code);
    setCommands(state.commands);
    if (restarted) log.scrollToEnd();
  },
  onEvent: (kind, data) => EVENTS[kind]?.(data),
  onLine(now) {
    connected = now;
    drawStatus();
  },
});
