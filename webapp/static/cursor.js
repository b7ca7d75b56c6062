/**
 * Painting by keys: arrows move a cursor on the stage. Space paints while it is held, or taps. Lasso and rectangle need no
 * held key: Space begins them, arrows draw, Space ends.
 */

const STEP = 12; // CSS px
const EDGE = 24; // CSS px: nearer to the border of the stage the photo moves instead, if it is zoomed

export class Cursor {
  /** @type {Point | null} */
  at = null;
  #moved = false;

  /** @param {Stage} stage */
  constructor(stage) {
    this.stage = stage;
  }

  /**
   * Move it; it appears first.
   * @param {number} dx In steps.
   * @param {number} dy
   */
  move(dx, dy) {
    const { input, view, locked } = this.stage;
    if (locked) return;
    const { stageWidth: width, stageHeight: height } = view;
    const before = this.at ?? { x: width / 2, y: height / 2 };
    const edge = input.busy || view.fitted ? 0 : EDGE;
    const limited = (/** @type {number} */ value, /** @type {number} */ side) =>
      Math.min(Math.max(value, edge), side - edge);
    const to = { x: before.x + dx * STEP, y: before.y + dy * STEP };
    this.at = { x: limited(to.x, width), y: limited(to.y, height) };
    if (input.busy) input.moveTo(this.at);
    else if (edge) this.stage.pan(this.at.x - to.x, this.at.y - to.y);
    this.stage.aim(this.at);
    this.#moved = true;
  }

  /** Space is pressed or released. @param {boolean} on */
  space(on) {
    const { input, tool } = this.stage;
    const outlines = tool === 'lasso' || tool === 'rect';
    if (on ? input.busy : !outlines || this.#moved) input.lift();
    else if (on && this.at) {
      this.#moved = false;
      input.press(this.at);
    }
  }

  /** Hide it: a pointer is used. */
  hide() {
    this.at = null;
  }
}
