/** Drafts: what was painted is stored on the device until it is sent, so that closing the page loses nothing. */

import { decode, encode } from './png.js';

const PREFIX = 'draft:';
const KEEP = 24 * 3600_000; // ms; the server deletes the edit after a day too
const MAX_CHARS = 1_000_000; // of the 5 MB that a page may keep
const DELAY = 400;

/** @param {Blob} blob @returns {Promise<string>} */
async function toBase64(blob) {
  let text = '';
  for (const byte of new Uint8Array(await blob.arrayBuffer())) text += String.fromCharCode(byte);
  return btoa(text);
}

/** @param {string} text */
const fromBase64 = (text) => new Blob([Uint8Array.from(atob(text), (char) => char.charCodeAt(0))]);

export class DraftKeeper {
  #timer = 0;

  /**
   * @param {string} editId
   * @param {() => Draft} current
   */
  constructor(editId, current) {
    this.key = PREFIX + editId;
    this.current = current;
    addEventListener('pagehide', () => this.#timer && this.save());
    document.addEventListener('visibilitychange', () => document.hidden && this.#timer && this.save());
  }

  /** Save after a short delay. */
  scheduleSave() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.save(), DELAY);
  }

  /** Save now; an empty draft is removed. */
  save() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const draft = this.current();
    try {
      if (!draft.ops.length && !draft.rounds.length && !draft.pending) return localStorage.removeItem(this.key);
      const text = JSON.stringify({ ...draft, saved: Date.now(), ops: draft.ops.map(pack) });
      if (text.length < MAX_CHARS) localStorage.setItem(this.key, text);
    } catch {
      // storage is full or blocked: there is no draft then
    }
  }

  /**
   * @param {(draft: Draft) => Promise<Bits | undefined>} loadStored Loads the mask that the painting started from.
   * @returns {Promise<Draft | null>} Null if there is none.
   */
  async load(loadStored) {
    try {
      removeOld();
      const { ops, rounds, at, pending } = JSON.parse(localStorage.getItem(this.key) ?? 'null');
      const stored = await loadStored({ ops, rounds, at, pending });
      const unpacked = await Promise.all(ops.map((/** @type {any} */ op) => unpack(op, stored)));
      return { ops: unpacked.filter(Boolean), rounds, at, pending };
    } catch {
      return null;
    }
  }
}

/** @param {Op} op */
function pack(op) {
  if (op.kind === 'stored') return { kind: op.kind };
  if (op.kind === 'found') return { ...op, mask: op.mask.png };
  return op;
}

/**
 * @param {any} op
 * @param {Bits | undefined} stored
 */
async function unpack(op, stored) {
  if (op.kind === 'stored') return stored && { kind: op.kind, mask: stored };
  if (op.kind === 'found') return op.mask ? { ...op, mask: await decodeSelection(fromBase64(op.mask)) } : null;
  return op;
}

/**
 * @param {Blob} png A mask from the server.
 * @returns {Promise<Bits>} The mask, with a PNG small enough for a draft.
 */
export async function decodeSelection(png) {
  const mask = await decode(png);
  mask.png = await toBase64(await encode(mask));
  return mask;
}

function removeOld() {
  for (const key of Object.keys(localStorage).filter((name) => name.startsWith(PREFIX))) {
    const { saved = 0 } = JSON.parse(localStorage.getItem(key) ?? '{}');
    if (Date.now() - saved > KEEP) localStorage.removeItem(key);
  }
}

/** Read a setting stored on the device; with a value: store it. @param {string} name @param {string} [value] */
export function setting(name, value) {
  try {
    if (value !== undefined) localStorage.setItem(name, value);
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}
