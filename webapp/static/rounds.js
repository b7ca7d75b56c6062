/**
 * Erase and go on: each round is an edit on the last one's result, and can be undone as a whole. Where a cut-out is
 * corrected, each round cuts the photo out again, and begins with the last one's mask.
 */

import { decode, exportMask } from './png.js';
import { Trouble } from './strings.js';

const newKey = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('-');

export class Rounds {
  /** @type {Round[]} */
  rounds = [];
  /** How many rounds the picture on the stage has behind it. */
  at = 0;
  /** @type {string | null} */
  pending = null;
  /** @type {{mask: Blob, key: string, painting: string} | null} */
  #unsent = null;
  /** @type {Painting[]} What was painted on picture 0, 1, … */
  #paintings = [];
  #original = '';

  /**
   * @param {import('./api.js').Api} api
   * @param {import('./api.js').Edit} edit That the page was opened for.
   * @param {Blob} photo As it came.
   */
  constructor(api, edit, photo) {
    this.api = api;
    this.photo = photo;
    this.edit = edit;
    this.keeps = edit.operation === 'remove_background';
    this.restart();
  }

  /** As the server knows it: a finished erase shows its result. */
  restart() {
    const { operation, result, parent } = this.edit;
    const made = result && (operation === 'erase' || (this.keeps && parent));
    this.rounds = made ? [{ id: this.edit.id, result: null }] : [];
    this.at = this.rounds.length;
  }

  /** @returns {string} The edit whose picture is on the stage: a mask for it goes there. */
  get target() {
    return this.at ? this.rounds[this.at - 1].id : this.edit.id;
  }

  /** @returns {Promise<Stored[]>} What is painted before anything is: what the edit came with, or the last round's. */
  async beginning() {
    const { mask, parent, state } = this.edit;
    let id = mask ? this.edit.id : null;
    if (this.keeps && this.at) id = this.target;
    else if (this.keeps && parent && state !== 'waiting_for_mask') id = parent; // before it was corrected
    if (!id) return [];
    try {
      return [{ kind: 'stored', mask: await decode(await this.api.picture(id, 'mask')) }];
    } catch (error) {
      if (/** @type {{status?: number}} */ (error).status !== 404 || id === this.edit.id) throw error;
      return []; // the parent found nothing
    }
  }

  /** Whether something was painted since a round was undone: then that round cannot be redone. */
  changed = false;

  /** @returns {boolean} */
  get canRedo() {
    return !this.changed && this.at < this.rounds.length;
  }

  /** @returns {{rounds: string[], at: number, pending: string | null}} What a draft keeps of it. */
  get state() {
    return { rounds: this.rounds.map((round) => round.id), at: this.at, pending: this.pending };
  }

  /** @returns {string} A URL of the photo as it came, to compare with. */
  get original() {
    return (this.#original ||= URL.createObjectURL(this.photo));
  }

  /**
   * Go on from where a draft was left.
   * @param {Draft} draft
   */
  restore(draft) {
    this.rounds = draft.rounds.map((id) => ({ id, result: null }));
    this.at = Math.min(draft.at, this.rounds.length);
  }

  /** Whether the first round was taken back: the edit has a result, and its photo is on the stage. */
  get onPhoto() {
    return this.at === 0 && this.rounds.length > 0;
  }

  /** @returns {Promise<Blob>} The picture on the stage. */
  async picture() {
    return this.at && !this.keeps ? await this.result() : this.photo;
  }

  /** @returns {Promise<Blob>} What the last round made. */
  async result() {
    const round = this.rounds[this.at - 1];
    return (round.result ??= await this.api.picture(round.id, 'result?preview=1'));
  }

  /**
   * @param {Op[]} ops
   * @returns {Promise<string>} The id of the edit that erases them.
   * @throws {Trouble}
   */
  async send(ops) {
    const mask = await exportMask(ops, this.edit);
    const painting = `${this.at}:${JSON.stringify(ops.map((op) => ('mask' in op ? { ...op, mask: 0 } : op)))}`;
    // After a lost connection the same painting is sent with the same key: the server may have it already.
    if (this.#unsent?.painting !== painting) this.#unsent = { mask, key: newKey(), painting };
    return this.api.send(this.target, mask, this.#unsent.key, this.onPhoto);
  }

  /**
   * Follow an edit to its end, and make its result the picture.
   * @param {string} id
   * @param {Painting} painting What was painted for it; comes back when the round is undone.
   * @param {(event: import('./api.js').Event) => void} progress
   * @throws {Trouble}
   */
  async follow(id, painting, progress) {
    try {
      for await (const event of this.api.events(id)) {
        if (event.type === 'failed' || event.type === 'cancelled') this.#unsent = null;
        if (event.type === 'failed') throw new Trouble(event.data.error ?? 'failed', event.data.message);
        if (event.type === 'cancelled') throw new Trouble('cancelled');
        if (event.type !== 'done') progress(event);
      }
      const result = await this.api.picture(id, 'result?preview=1');
      this.#unsent = null;
      this.rounds.length = this.at;
      this.rounds.push({ id, result });
      this.#paintings[this.at++] = painting;
    } finally {
      this.pending = null;
    }
  }

  /**
   * Back to the picture before the last round.
   * @param {Painting} painting What is painted on the one that is left.
   * @returns {Painting} What was painted on the one that comes back.
   */
  undo(painting) {
    this.#paintings[this.at--] = painting;
    this.changed = false;
    return this.#paintings[this.at] ?? { ops: [], undone: [] };
  }

  /**
   * @param {Painting} painting
   * @returns {Painting}
   */
  redo(painting) {
    this.#paintings[this.at++] = painting;
    return this.#paintings[this.at] ?? { ops: [], undone: [] };
  }

  /**
   * @param {number} at
   * @param {Painting} painting
   */
  keep(at, painting) {
    this.#paintings[at] = painting;
  }
}
