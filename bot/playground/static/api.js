/**
 * Client of the playground's HTTP API.
 *
 * @typedef {{file_id: string, width: number, height: number, file_size?: number}} PhotoSize
 * @typedef {{type: string, offset: number, length: number, url?: string, language?: string}} Entity
 * @typedef {{text: string, callback_data?: string, url?: string, web_app?: {url: string}, pay?: boolean}} InlineButton
 * @typedef {{file_id: string, file_name?: string, mime_type?: string, file_size?: number, thumbnail?: PhotoSize}} Doc
 * @typedef {{
 *   message_id: number, from: {id: number, is_bot: boolean, first_name: string}, date: number, edit_date?: number,
 *   text?: string, caption?: string, entities?: Entity[], caption_entities?: Entity[],
 *   photo?: PhotoSize[], document?: Doc, sticker?: {emoji?: string}, media_group_id?: string,
 *   invoice?: {title: string, description: string, total_amount: number},
 *   successful_payment?: {total_amount: number}, refunded_payment?: {total_amount: number},
 *   reply_to_message?: Message, reply_markup?: {inline_keyboard?: InlineButton[][]}, reaction?: string,
 * }} Message as in the Bot API, and the bot's reaction to it
 * @typedef {{command: string, description: string}} Command
 * @typedef {{name: string, title: string, width: number, height: number}} Sample
 * @typedef {{
 *   bot: {first_name: string, username: string},
 *   person: {id: number, first_name: string, language_code: string},
 *   commands: Command[], about: string, last_event: number, messages: Message[],
 *   reactions: Record<string, string>,
 * }} Chat
 * @typedef {{id: string, text: string | null, show_alert: boolean}} Answer
 */

const API = '/playground/api';

/** The playground refused a request, or could not be reached (`code` "offline", `status` 0). */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message
   */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * Send a request and parse its JSON.
 * @param {string} path
 * @param {RequestInit} [init]
 * @returns {Promise<any>}
 */
async function request(path, init) {
  let response;
  try {
    response = await fetch(API + path, init);
  } catch {
    throw new ApiError(0, 'offline', '');
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(response.status, body.error ?? '', body.message ?? response.statusText);
  return body;
}

/**
 * @param {string} path
 * @param {object} value
 */
const post = (path, value) =>
  request(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) });

/** @returns {Promise<Chat>} The whole chat; the person speaks the browser's language unless they chose another. */
export const chat = () => request(`/chat?language=${encodeURIComponent(navigator.language)}`);

/** @returns {Promise<Sample[]>} The sample pictures. */
export const samples = () => request('/samples');

/** The address of a sample picture. @param {string} name */
export const sampleUrl = (name) => `${API}/samples/${encodeURIComponent(name)}`;

/**
 * The address of a file in the chat.
 * @param {string} fileId
 * @param {boolean} [download] as an attachment with its name
 */
export const fileUrl = (fileId, download = false) =>
  `${API}/files/${encodeURIComponent(fileId)}${download ? '?download=1' : ''}`;

/** Send a sticker. */
export const sendSticker = () => post('/sticker', {});

/**
 * Press a callback button.
 * @param {number} messageId
 * @param {string} data
 * @returns {Promise<{id: string}>}
 */
export const press = (messageId, data) => post('/press', { message_id: messageId, data });

/** Pay an invoice. @param {number} messageId */
export const pay = (messageId) => post('/pay', { message_id: messageId });

/**
 * Open the Mini App of a button.
 * @param {number} messageId
 * @param {string} url
 * @returns {Promise<{url: string, title: string}>}
 */
export const webApp = (messageId, url) => post('/webapp', { message_id: messageId, url });

/** Set the language of the person's app. @param {string} code */
export const setLanguage = (code) => post('/person', { language_code: code });

/** Delete all messages. */
export const clear = () => post('/clear', {});

/**
 * Send a message, with files or without. Uses XMLHttpRequest, because fetch reports no upload progress.
 * @param {{text: string, replyTo?: number, files?: File[], as?: 'photo' | 'file'}} what
 * @param {(share: number) => void} [onProgress] 0…1
 * @returns {Promise<Message[]>}
 */
export function send({ text, replyTo, files = [], as = 'photo' }, onProgress) {
  const form = new FormData();
  form.set('text', text);
  if (replyTo !== undefined) form.set('reply_to', String(replyTo));
  if (files.length) form.set('as', as);
  for (const file of files) form.append('file', file, file.name);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', `${API}/messages`);
    request.upload.onprogress = (event) => event.lengthComputable && onProgress?.(event.loaded / event.total);
    request.onerror = () => reject(new ApiError(0, 'offline', ''));
    request.onload = () => {
      let body;
      try {
        body = JSON.parse(request.responseText);
      } catch {
        body = {};
      }
      if (request.status === 200) resolve(body.messages ?? []);
      else reject(new ApiError(request.status, body.error ?? '', body.message ?? request.statusText));
    };
    request.send(form);
  });
}

const KINDS = ['message', 'deleted', 'action', 'answer', 'commands', 'reaction', 'cleared'];
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;

/**
 * Follow the chat: load its state, then receive its events; after a lost connection start over.
 *
 * EventSource's own reconnection gives up on an error status and does not notice a restarted playground, whose events
 * are numbered from 1 again. So each attempt loads the state first.
 *
 * @param {{
 *   onChat: (chat: Chat, restarted: boolean) => void,
 *   onEvent: (kind: string, data: any) => void,
 *   onLine: (connected: boolean) => void,
 * }} listener
 */
export function follow({ onChat, onEvent, onLine }) {
  let last = -1;
  let wait = FIRST_WAIT_MS;

  const reconnect = () => {
    onLine(false);
    setTimeout(connect, wait);
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
  };

  async function connect() {
    let state;
    try {
      state = await chat();
    } catch {
      reconnect();
      return;
    }
    const restarted = last < 0 || state.last_event < last;
    if (restarted) last = state.last_event;
    onChat(state, restarted);
    const stream = new EventSource(`${API}/events?after=${last}`);
    stream.onopen = () => {
      wait = FIRST_WAIT_MS;
      onLine(true);
    };
    stream.onerror = () => {
      stream.close();
      reconnect();
    };
    for (const kind of KINDS) {
      stream.addEventListener(kind, (event) => {
        last = Math.max(last, Number(event.lastEventId) || 0);
        onEvent(kind, JSON.parse(event.data));
      });
    }
  }

  connect();
}
