/** Tap-to-select: the first tap selects the thing there; further taps add, or take away where they meet it. */

import { selection } from './draft.js';
import { isSet } from './strokes.js';

export class Selector {
  /** Taps of one session refine one selection. */
  session = 0;
  /** @type {AbortController | null} */
  #asking = null;

  /** @returns {boolean} Whether an answer is awaited. */
  get busy() {
    return this.#asking !== null;
  }

  /** Take back the tap that is being answered. */
  abort() {
    this.#asking?.abort();
    this.#asking = null;
  }

  /** The next tap begins another selection. */
  renew() {
    this.abort();
    this.session++;
  }

  /**
   * @param {{x: number, y: number}} at In photo pixels.
   * @param {import('./strokes.js').Strokes} strokes
   * @param {{width: number, height: number}} photo
   * @param {(taps: Tap[], signal: AbortSignal) => Promise<Blob>} ask
   * @returns {Promise<Found | 'nothing' | null>} Null: taken back meanwhile.
   */
  async tap(at, strokes, photo, ask) {
    this.abort();
    const asking = (this.#asking = new AbortController());
    const { session } = this;
    const before = strokes.openSelection(session);
    const inside = before && isSet(before.mask, at.x / photo.width, at.y / photo.height);
    const taps = [...(before?.taps ?? []), { x: Math.round(at.x), y: Math.round(at.y), keep: !inside }];
    try {
      const mask = await selection(await ask(taps, asking.signal));
      if (asking.signal.aborted) return null;
      return before || mask.bits.some(Boolean) ? { kind: 'found', session, taps, mask } : 'nothing';
    } catch (error) {
      if (asking.signal.aborted) return null;
      throw error;
    } finally {
      if (this.#asking === asking) this.#asking = null;
    }
  }
}
