/** What was painted, kept on the device until it is erased: an accidental close loses nothing. */

import { decode, encode } from './png.js';

const PREFIX = 'draft:';
const KEEP = 24 * 3600_000; // ms; the server forgets the edit after a day too
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

  /** Something has changed: keep it soon. */
  touch() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.save(), DELAY);
  }

  save() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    const draft = this.current();
    try {
      if (!draft.ops.length && !draft.rounds.length && !draft.pending) return localStorage.removeItem(this.key);
      const text = JSON.stringify({ ...draft, saved: Date.now(), ops: draft.ops.map(pack) });
      if (text.length < MAX_CHARS) localStorage.setItem(this.key, text);
    } catch {
      // storage is full or forbidden: painting goes on without a draft
    }
  }

  /**
   * @param {(draft: Draft) => Promise<Bits | undefined>} begin Gives the mask that it began with.
   * @returns {Promise<Draft | null>}
   */
  async load(begin) {
    try {
      forgetOld();
      const { ops, rounds, at, pending } = JSON.parse(localStorage.getItem(this.key) ?? 'null');
      const stored = await begin({ ops, rounds, at, pending });
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
  if (op.kind === 'found') return op.mask ? { ...op, mask: await selection(fromBase64(op.mask)) } : null;
  return op;
}

/**
 * @param {Blob} png A mask from the server.
 * @returns {Promise<Bits>} The same, small enough to be kept in a draft.
 */
export async function selection(png) {
  const mask = await decode(png);
  mask.png = await toBase64(await encode(mask));
  return mask;
}

function forgetOld() {
  for (const key of Object.keys(localStorage).filter((name) => name.startsWith(PREFIX))) {
    const { saved = 0 } = JSON.parse(localStorage.getItem(key) ?? '{}');
    if (Date.now() - saved > KEEP) localStorage.removeItem(key);
  }
}

/** @param {string} name @param {string} [value] @returns {string | null} A small setting, kept on the device. */
export function remember(name, value) {
  try {
    if (value !== undefined) localStorage.setItem(name, value);
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}
