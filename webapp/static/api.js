/** Client of the web API: opens a session with initData, then reads and starts edits. */

import { PageError } from './strings.js';

const RETRIES = [400, 1000, 2500, 5000]; // ms between tries; covers a short loss of signal
const TIMEOUT = 30_000; // ms for one response

/** @param {string} id @param {string} [what] */
const pathOf = (id, what = '') => `edits/${encodeURIComponent(id)}${what}`;

const wait = (/** @type {number} */ ms) => new Promise((done) => setTimeout(done, ms));

export class Api {
  #token = '';

  /** @param {string} initData Signed by Telegram; the server checks it once. */
  constructor(initData) {
    this.initData = initData;
  }

  /** Start a session: exchange initData for a token. */
  async open() {
    const response = await this.#request('session', {
      method: 'POST',
      headers: { Authorization: `tma ${this.initData}` },
    });
    this.#token = (await response.json()).token;
  }

  /** @returns {Promise<Edit>} */
  async edit(/** @type {string} */ id) {
    return (await this.#authorized(pathOf(id))).json();
  }

  /**
   * A picture; the browser keeps it, and asks whether it may still use it.
   * @param {string} id
   * @param {'photo' | 'mask' | 'result'} what
   * @param {number} [side] Its long side at most, px; not of a mask.
   * @returns {Promise<Blob>}
   */
  async picture(id, what, side) {
    const query = { photo: `side=${side}`, mask: 'keep=1', result: `preview=1&side=${side}` }[what];
    return (await this.#authorized(pathOf(id, `/${what}?${query}`))).blob();
  }

  /**
   * @param {string} id
   * @param {boolean} onPhoto As for `send`.
   * @param {Tap[]} points
   * @param {AbortSignal} signal
   * @returns {Promise<Blob>} A mask PNG of the object there.
   */
  async select(id, onPhoto, points, signal) {
    const body = JSON.stringify({ points });
    const headers = { 'Content-Type': 'application/json' };
    const path = pathOf(id, onPhoto ? '/select?base=photo' : '/select');
    return (await this.#authorized(path, { method: 'POST', headers, body, signal })).blob();
  }

  /**
   * @param {string} id The edit it was painted on.
   * @param {Blob} png
   * @param {string} key The same for every retry, so that the server starts one edit only.
   * @param {boolean} onPhoto Edit the photo, not the edit's result: its round was undone.
   * @returns {Promise<string>} The id of the new edit.
   */
  async send(id, png, key, onPhoto) {
    const headers = { 'Content-Type': 'image/png', 'Idempotency-Key': key };
    const path = pathOf(id, onPhoto ? '/mask?base=photo' : '/mask');
    const response = await this.#authorized(path, { method: 'POST', headers, body: png });
    return (await response.json()).id ?? id;
  }

  /**
   * Show in the chat what is on the stage.
   * @param {string} id
   * @param {boolean} onPhoto Its photo, not its result.
   */
  async show(id, onPhoto) {
    await this.#authorized(pathOf(id, onPhoto ? '/show?base=photo' : '/show'), { method: 'POST' });
  }

  /** Ask the server to cancel an edit; its events tell whether it was in time. */
  async cancel(/** @type {string} */ id) {
    await this.#authorized(pathOf(id, '/cancel'), { method: 'POST' });
  }

  /**
   * The events of an edit until it is final; reconnects after a lost connection.
   * @param {string} id
   * @returns {AsyncGenerator<ServerEvent>}
   */
  async *events(id) {
    for (let failures = 0;;) {
      try {
        const headers = { Accept: 'text/event-stream' };
        const response = await this.#authorized(pathOf(id, '/events'), { headers }, 0);
        for await (const event of parse(/** @type {ReadableStream} */ (response.body))) {
          failures = 0;
          yield event;
          if (['done', 'failed', 'cancelled'].includes(event.type)) return;
        }
      } catch (error) {
        if (error instanceof PageError && error.status && error.status < 500) throw error;
        if (failures > 60) throw error;
      }
      await wait(RETRIES[Math.min(failures++, RETRIES.length - 1)]);
    }
  }

  /**
   * @param {string} path
   * @param {RequestInit} [init]
   * @param {number} [timeout] ms; 0: none, for events.
   */
  async #authorized(path, init = {}, timeout = TIMEOUT) {
    for (let renewed = false;; renewed = true) {
      const headers = { ...init.headers, Authorization: `Bearer ${this.#token}` };
      try {
        const response = await this.#request(path, { ...init, headers }, timeout);
        this.#token = response.headers.get('X-Session-Token') ?? this.#token;
        return response;
      } catch (error) {
        if (!(error instanceof PageError) || error.status !== 401 || renewed) throw error;
        await this.open();
      }
    }
  }

  /**
   * One request, retried on temporary errors. Every request is idempotent: a read, or a mask with its key.
   * @param {string} path
   * @param {RequestInit} init
   * @param {number} [timeout]
   */
  async #request(path, init, timeout = TIMEOUT) {
    for (let attempt = 0;; attempt++) {
      let pause = RETRIES[attempt];
      try {
        const response = await fetchWithTimeout(`api/${path}`, init, timeout);
        if (response.ok) return response;
        const error = await errorOf(response);
        const temporary = response.status >= 500 || response.status === 408 || error.code === 'rate-limited';
        const after = 1000 * Number(response.headers.get('Retry-After') ?? 0);
        if (!temporary || pause === undefined || after > 10_000) throw error;
        pause = Math.max(pause, after);
      } catch (error) {
        if (error instanceof PageError || init.signal?.aborted) throw error;
        if (pause === undefined) throw new PageError('offline');
      }
      await wait(pause);
    }
  }
}

/**
 * @param {string} url
 * @param {RequestInit} init
 * @param {number} timeout
 */
async function fetchWithTimeout(url, init, timeout) {
  if (!timeout) return fetch(url, init);
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeout);
  const stop = () => abort.abort();
  init.signal?.addEventListener('abort', stop);
  try {
    return await fetch(url, { ...init, signal: abort.signal });
  } finally {
    clearTimeout(timer);
    init.signal?.removeEventListener('abort', stop);
  }
}

/** @param {Response} response */
async function errorOf(response) {
  const body = await response.json().catch(() => ({}));
  return new PageError(body.error ?? 'failed', body.message, response.status);
}

/**
 * Parse server-sent events (HTML standard, 9.2.6). EventSource cannot send an Authorization header.
 * @param {ReadableStream<Uint8Array>} body
 * @returns {AsyncGenerator<ServerEvent>}
 */
async function* parse(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text = (text + decoder.decode(value, { stream: true })).replaceAll('\r\n', '\n');
      const blocks = text.split('\n\n');
      text = /** @type {string} */ (blocks.pop());
      for (const block of blocks) {
        const fields = block.split('\n').map((line) => line.match(/^(\w+): ?(.*)$/));
        const data = fields.filter((field) => field?.[1] === 'data').map((field) => field?.[2]);
        const type = fields.find((field) => field?.[1] === 'event')?.[2] ?? 'message';
        if (fields.some(Boolean)) yield { type, data: data.length ? JSON.parse(data.join('\n')) : {} };
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
