/** The view: where the photo is on the stage, as screen = photo · scale + (x, y) in CSS pixels of the stage. */

const MARGIN = 8;
const MAX_ZOOM = 12; // times the fitted size …
const MAX_PIXEL = 4; // … or until a photo pixel is 4 CSS pixels, whichever is more

export class View {
  /**
   * @param {number} width Of the photo, pixels.
   * @param {number} height Of the photo, pixels.
   */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.stageWidth = 1;
    this.stageHeight = 1;
    this.fitScale = 1;
    this.scale = 1;
    this.x = 0;
    this.y = 0;
  }

  /** Whether the whole photo is shown, as large as it fits. */
  get fitted() {
    return this.scale <= this.fitScale * 1.01;
  }

  /**
   * Set the stage's size: a fitted photo stays fitted, a zoomed one keeps its middle.
   * @param {number} width
   * @param {number} height
   */
  resize(width, height) {
    const fitted = this.fitted;
    const middle = this.toPhoto(this.stageWidth / 2, this.stageHeight / 2);
    this.stageWidth = width;
    this.stageHeight = height;
    this.fitScale = Math.min((width - 2 * MARGIN) / this.width, (height - 2 * MARGIN) / this.height);
    if (!(this.fitScale > 0)) this.fitScale = 0.01;
    if (fitted) return this.fit();
    this.scale = this.#limit(this.scale);
    this.x = width / 2 - middle.x * this.scale;
    this.y = height / 2 - middle.y * this.scale;
    this.settle();
  }

  /** Show the whole photo. */
  fit() {
    this.scale = this.fitScale;
    this.x = (this.stageWidth - this.width * this.scale) / 2;
    this.y = (this.stageHeight - this.height * this.scale) / 2;
  }

  /**
   * @param {number} x
   * @param {number} y
   * @returns {Point} In photo pixels; may be outside the photo.
   */
  toPhoto(x, y) {
    return { x: (x - this.x) / this.scale, y: (y - this.y) / this.scale };
  }

  /**
   * Zoom so that the photo's point at (fromX, fromY) moves to (x, y).
   * @param {number} factor
   * @param {number} fromX
   * @param {number} fromY
   * @param {number} [x]
   * @param {number} [y]
   */
  zoom(factor, fromX, fromY, x = fromX, y = fromY) {
    const point = this.toPhoto(fromX, fromY);
    this.scale = this.#limit(this.scale * factor);
    this.x = x - point.x * this.scale;
    this.y = y - point.y * this.scale;
    this.#keepInSight();
  }

  /** Move the photo. */
  pan(/** @type {number} */ dx, /** @type {number} */ dy) {
    this.x += dx;
    this.y += dy;
    this.#keepInSight();
  }

  /** End a gesture: a photo that is hardly zoomed is fitted. */
  settle() {
    if (this.fitted) this.fit();
    else this.#keepInSight();
  }

  /** @param {number} scale */
  #limit(scale) {
    return Math.min(Math.max(scale, this.fitScale), Math.max(this.fitScale * MAX_ZOOM, MAX_PIXEL));
  }

  /** Let any edge reach the stage's middle, where a thumb can paint it, but no further. */
  #keepInSight() {
    const halfX = this.stageWidth / 2;
    const halfY = this.stageHeight / 2;
    this.x = Math.min(halfX, Math.max(halfX - this.width * this.scale, this.x));
    this.y = Math.min(halfY, Math.max(halfY - this.height * this.scale, this.y));
  }
}
