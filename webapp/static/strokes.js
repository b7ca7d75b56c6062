/** What has been painted: a list of operations in the photo's pixels, with undo and redo; never bitmaps. */

/** @returns {boolean} Whether an operation can paint anything. */
export const adds = (/** @type {Op} */ op) =>
  op.kind !== 'eraser' && op.kind !== 'clear' && !(op.kind === 'area' && op.erase);

export class Strokes {
  /** @param {() => void} changed Called after every change. */
  constructor(changed) {
    this.changed = changed;
    /** Whether the painted stays (a cut-out is corrected): then one begins with what was found, and cannot undo it. */
    this.keeps = false;
    /** @type {Op[]} */
    this.ops = [];
    /** @type {Op[]} */
    this.undone = [];
  }

  /** @param {Op} op */
  add(op) {
    this.ops.push(op);
    this.undone = [];
    this.changed();
  }

  /** @returns {Op[]} Where one began. */
  get base() {
    return this.keeps && this.ops[0]?.kind === 'stored' ? [this.ops[0]] : [];
  }

  /** @returns {boolean} */
  get canUndo() {
    return this.ops.length > this.base.length;
  }

  /** @returns {boolean} Whether there is something to be sent. */
  get ready() {
    return this.painted && (!this.keeps || this.canUndo);
  }

  /** @returns {boolean} Whether there was something to undo. */
  undo() {
    const op = this.canUndo && this.ops.pop();
    if (op) this.undone.push(op);
    if (op) this.changed();
    return Boolean(op);
  }

  /** @returns {boolean} Whether there was something to redo. */
  redo() {
    const op = this.undone.pop();
    if (op) this.ops.push(op);
    if (op) this.changed();
    return Boolean(op);
  }

  /** Take back the last operation as if it had never been (a dot that turned out to be a double tap). */
  drop() {
    this.ops.pop();
    this.changed();
  }

  /**
   * @param {Op[]} ops
   * @param {Op[]} [undone]
   */
  replace(ops, undone = []) {
    this.ops = [...ops];
    this.undone = [...undone];
    this.changed();
  }

  /** @returns {Op[]} What counts now: nothing before the last clear, of a selection only its last state. */
  visible() {
    const start = this.ops.findLastIndex((op) => op.kind === 'clear') + 1;
    return this.ops.slice(start).filter((op, index, rest) => {
      const next = rest[index + 1];
      return !(op.kind === 'found' && next?.kind === 'found' && next.session === op.session);
    });
  }

  /** @returns {boolean} Whether something may be painted (erasing it all away again is noticed on export). */
  get painted() {
    return this.visible().some(adds);
  }

  /** @returns {Found | null} The selection that a further tap refines. */
  openSelection(/** @type {number} */ session) {
    const last = this.ops.at(-1);
    return last?.kind === 'found' && last.session === session ? last : null;
  }
}

/**
 * @param {Bits} mask
 * @param {number} x 0–1 across the photo.
 * @param {number} y 0–1 down the photo.
 * @returns {boolean} Whether the mask is set there.
 */
export function isSet(mask, x, y) {
  const column = Math.min(mask.width - 1, Math.max(0, Math.floor(x * mask.width)));
  const row = Math.min(mask.height - 1, Math.max(0, Math.floor(y * mask.height)));
  const stride = (mask.width + 7) >> 3;
  return Boolean(mask.bits[row * stride + (column >> 3)] & (0x80 >> (column & 7)));
}
