/** Tap to select: the first tap selects an object; further taps add to the selection or remove from it. */

import { decodeSelection } from './draft.js';
import { isSet } from './strokes.js';

export class Selector {
  /** All taps of a session refine one selection. */
  session = 0;
  /** @type {AbortController | null} */
  #request = null;

  /** Whether a request is running. */
  get busy() {
    return this.#request !== null;
  }

  /** Cancel the running request. */
  abort() {
    this.#request?.abort();
    this.#request = null;
  }

  /** Let the next tap start another selection. */
  startNew() {
    this.abort();
    this.session++;
  }

  /**
   * Select the object at a point, or refine the selection.
   * @param {{x: number, y: number}} at In photo pixels.
   * @param {Strokes} strokes
   * @param {Size} photo
   * @param {(taps: Tap[], signal: AbortSignal) => Promise<Blob>} ask
   * @returns {Promise<Found | 'nothing' | null>} Null: cancelled.
   */
  async tap(at, strokes, photo, ask) {
    this.abort();
    const request = (this.#request = new AbortController());
    const { session } = this;
    const before = strokes.openSelection(session);
    const inside = before && isSet(before.mask, at.x / photo.width, at.y / photo.height);
    const taps = [...(before?.taps ?? []), { x: Math.round(at.x), y: Math.round(at.y), keep: !inside }];
    try {
      const mask = await decodeSelection(await ask(taps, request.signal));
      if (request.signal.aborted) return null;
      return before || mask.bits.some(Boolean) ? { kind: 'found', session, taps, mask } : 'nothing';
    } catch (error) {
      if (request.signal.aborted) return null;
      throw error;
    } finally {
      if (this.#request === request) this.#request = null;
    }
  }
}
