/** What was painted: a list of operations in photo pixels, with undo and redo. */

/** Whether an operation adds paint. */
export const addsPaint = (/** @type {Op} */ op) =>
  op.kind !== 'eraser' && op.kind !== 'clear' && !(op.kind === 'area' && op.erase);

export class Strokes {
  /** @param {() => void} changed Called after every change. */
  constructor(changed) {
    this.changed = changed;
    /** Whether a cut-out is corrected: painting then starts from its mask, which cannot be undone. */
    this.isCutout = false;
    /** @type {Op[]} */
    this.ops = [];
    /** @type {Op[]} */
    this.undone = [];
  }

  /** Add an operation; it clears what could be redone. @param {Op} op */
  add(op) {
    this.ops.push(op);
    this.undone = [];
    this.changed();
  }

  /** The operations that cannot be undone. */
  get base() {
    return this.isCutout && this.ops[0]?.kind === 'stored' ? [this.ops[0]] : [];
  }

  /** Whether there is something to undo. */
  get canUndo() {
    return this.ops.length > this.base.length;
  }

  /** Whether there is something to send. */
  get canSend() {
    return this.painted && (!this.isCutout || this.canUndo);
  }

  /** Whether there was something to undo. */
  undo() {
    const op = this.canUndo && this.ops.pop();
    if (op) this.undone.push(op);
    if (op) this.changed();
    return Boolean(op);
  }

  /** Whether there was something to redo. */
  redo() {
    const op = this.undone.pop();
    if (op) this.ops.push(op);
    if (op) this.changed();
    return Boolean(op);
  }

  /** Remove the last operation if it is this one, without redo: half of a double tap. @param {Op} op */
  discard(op) {
    if (this.ops[this.ops.length - 1] !== op) return;
    this.ops.pop();
    this.changed();
  }

  /**
   * Replace everything.
   * @param {Op[]} ops
   * @param {Op[]} [undone]
   */
  replace(ops, undone = []) {
    this.ops = [...ops];
    this.undone = [...undone];
    this.changed();
  }

  /** The operations since the last clear, each selection in its last state only. */
  visible() {
    const start = this.ops.map((op) => op.kind).lastIndexOf('clear') + 1;
    return this.ops.slice(start).filter((op, index, rest) => {
      const next = rest[index + 1];
      return !(op.kind === 'found' && next?.kind === 'found' && next.session === op.session);
    });
  }

  /** Whether something may be painted; the export notices if all of it was erased again. */
  get painted() {
    return this.visible().some(addsPaint);
  }

  /** @returns {Found | null} The selection that a further tap refines. */
  openSelection(/** @type {number} */ session) {
    const last = this.ops[this.ops.length - 1];
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
