/**
 * Rounds: each one is an edit of the last round's result, and can be undone. While a cut-out is corrected, each round
 * edits the photo again, starting from the last round's mask.
 */

import { decode, exportMask } from './png.js';
import { PageError } from './strings.js';

const newKey = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('-');

export class Rounds {
  /** @type {Round[]} */
  rounds = [];
  /** How many rounds led to the picture on the stage. */
  at = 0;
  /** @type {string | null} */
  pending = null;
  /** @type {{mask: Blob, key: string, painting: string} | null} */
  #unsent = null;
  /** @type {Painting[]} What was painted on picture 0, 1, … */
  #paintings = [];
  #original = '';
  /** @type {WeakMap<Blob, number>} The long side that each preview was asked for with. */
  #sides = new WeakMap();

  /**
   * @param {Api} api
   * @param {Edit} edit The one that the page was opened for.
   * @param {() => number} side The long side of the preview that the screen can show.
   */
  constructor(api, edit, side) {
    this.api = api;
    this.photo = new Blob();
    this.edit = edit;
    this.side = side;
    this.isCutout = edit.operation === 'remove_background';
    this.restart();
  }

  /** Load the photo. */
  async load() {
    this.photo = await this.#preview(this.edit.id, 'photo', this.side());
  }

  /** @param {string} id @param {'photo' | 'result'} what @param {number} side */
  async #preview(id, what, side) {
    const picture = await this.api.picture(id, what, side);
    this.#sides.set(picture, side);
    return picture;
  }

  /** Load the picture on the stage with more pixels, if the screen can show more than it has. */
  async sharpen() {
    const round = this.isCutout ? undefined : this.rounds[this.at - 1];
    const side = this.side();
    const known = this.#sides.get((round ? round.result : this.photo) ?? this.photo) ?? side;
    if (side <= known || known >= Math.max(this.edit.width, this.edit.height)) return;
    const sharper = await this.#preview(round ? round.id : this.edit.id, round ? 'result' : 'photo', side);
    if (round) round.result = sharper;
    else [this.photo, this.#original] = [sharper, ''];
  }

  /** Start as the server knows it: with the result of a finished edit. */
  restart() {
    const { operation, result, parent } = this.edit;
    const made = result && (operation === 'erase' || (this.isCutout && parent));
    this.rounds = made ? [{ id: this.edit.id, result: null }] : [];
    this.at = this.rounds.length;
  }

  /** The id of the edit whose picture is on the stage; a mask is sent to it. */
  get target() {
    return this.at ? this.rounds[this.at - 1].id : this.edit.id;
  }

  /** @returns {Promise<Stored[]>} What is painted at first: the edit's mask, or the last round's. */
  async initialOps() {
    const { mask, parent, state } = this.edit;
    let id = mask ? this.edit.id : null;
    if (this.isCutout && this.at) id = this.target;
    else if (this.isCutout && parent && state !== 'waiting_for_mask') id = parent; // before it was corrected
    if (!id) return [];
    try {
      return [{ kind: 'stored', mask: await decode(await this.api.picture(id, 'mask')) }];
    } catch (error) {
      if (/** @type {{status?: number}} */ (error).status !== 404 || id === this.edit.id) throw error;
      return []; // the parent edit has no mask
    }
  }

  /** Whether something was painted since a round was undone; then it cannot be redone. */
  changed = false;

  get canRedo() {
    return !this.changed && this.at < this.rounds.length;
  }

  /** The part that a draft stores. */
  get state() {
    return { rounds: this.rounds.map((round) => round.id), at: this.at, pending: this.pending };
  }

  /** A URL of the original photo. */
  get original() {
    return (this.#original ||= URL.createObjectURL(this.photo));
  }

  /** Continue from a draft. @param {Draft} draft */
  restore(draft) {
    this.rounds = draft.rounds.map((id) => ({ id, result: null }));
    this.at = Math.min(draft.at, this.rounds.length);
  }

  /** Whether the first round was undone: the photo is on the stage although the edit has a result. */
  get onPhoto() {
    return this.at === 0 && this.rounds.length > 0;
  }

  /** The picture on the stage. */
  async picture() {
    return this.at && !this.isCutout ? await this.result() : this.photo;
  }

  /** The last round's result. */
  async result() {
    const round = this.rounds[this.at - 1];
    return (round.result ??= await this.#preview(round.id, 'result', this.side()));
  }

  /**
   * Send what was painted as a mask.
   * @param {Op[]} ops
   * @returns The id of the new edit.
   * @throws {PageError}
   */
  async send(ops) {
    const mask = await exportMask(ops, this.edit);
    const painting = `${this.at}:${JSON.stringify(ops.map((op) => ('mask' in op ? { ...op, mask: 0 } : op)))}`;
    // After a lost connection the same painting keeps its key: the server may have received it.
    if (this.#unsent?.painting !== painting) this.#unsent = { mask, key: newKey(), painting };
    return this.api.send(this.target, mask, this.#unsent.key, this.onPhoto);
  }

  /**
   * Follow an edit until it is final; its result becomes the picture.
   * @param {string} id
   * @param {Painting} painting What was painted for it; restored when the round is undone.
   * @param {(event: ServerEvent) => void} progress
   * @throws {PageError}
   */
  async follow(id, painting, progress) {
    try {
      for await (const event of this.api.events(id)) {
        if (event.type === 'failed' || event.type === 'cancelled') this.#unsent = null;
        if (event.type === 'failed') throw new PageError(event.data.error ?? 'failed', event.data.message);
        if (event.type === 'cancelled') throw new PageError('cancelled');
        if (event.type !== 'done') progress(event);
      }
      const result = await this.#preview(id, 'result', this.side());
      this.#unsent = null;
      this.rounds.length = this.at;
      this.rounds.push({ id, result });
      this.#paintings[this.at++] = painting;
    } finally {
      this.pending = null;
    }
  }

  /**
   * Undo the last round.
   * @param {Painting} painting What is painted on the current picture.
   * @returns {Painting} What was painted on the previous one.
   */
  undo(painting) {
    this.#paintings[this.at--] = painting;
    this.changed = false;
    return this.#paintings[this.at] ?? { ops: [], undone: [] };
  }

  /** Redo the round that was undone. @param {Painting} painting */
  redo(painting) {
    this.#paintings[this.at++] = painting;
    return this.#paintings[this.at] ?? { ops: [], undone: [] };
  }

  /**
   * Store what was painted on a picture.
   * @param {number} at
   * @param {Painting} painting
   */
  setPainting(at, painting) {
    this.#paintings[at] = painting;
  }
}
