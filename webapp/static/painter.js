/** Draws the mask on the stage: opaque ink on a canvas of the stage's size, which CSS makes translucent. */

import { drawLine, drawOps } from './drawing.js';

const MAX_SIDE = 2048; // px
const MAX_DENSITY = 2; // device px per CSS px: more is not seen, and costs memory and time
const FAST = 7; // ms; a redraw faster than this is done in every frame of a pinch
const INK = '#ff2e63';

export class Painter {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {View} view
   */
  constructor(canvas, view) {
    this.canvas = canvas;
    this.view = view;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    this.density = 1;
    this.cost = 0;
    this.drawn = { scale: 1, x: 0, y: 0 };
    this.isCutout = false; // ink covers what is not painted
  }

  /** Give the canvas the size of the stage. */
  resize() {
    const { stageWidth, stageHeight } = this.view;
    this.density = Math.min(devicePixelRatio || 1, MAX_DENSITY, MAX_SIDE / Math.max(stageWidth, stageHeight));
    this.canvas.width = Math.round(stageWidth * this.density);
    this.canvas.height = Math.round(stageHeight * this.density);
  }

  /** Draw everything again. @param {Op[]} ops */
  redraw(ops) {
    const start = performance.now();
    const { view } = this;
    this.context.setTransform(1, 0, 0, 1, 0, 0);
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.drawn = { scale: view.scale, x: view.x, y: view.y };
    this.#applyView();
    const [leftTop, rightBottom] = [view.toPhoto(0, 0), view.toPhoto(view.stageWidth, view.stageHeight)];
    const visible = { left: leftTop.x, top: leftTop.y, right: rightBottom.x, bottom: rightBottom.y };
    drawOps(this.context, this.isCutout ? [...ops, { kind: 'invert' }] : ops, view, visible);
    this.canvas.style.transform = '';
    this.cost = performance.now() - start;
  }

  /** While the view moves: transform the drawn mask, or redraw it if that is fast. */
  follow(/** @type {Op[]} */ ops) {
    if (this.cost < FAST) return this.redraw(ops);
    const ratio = this.view.scale / this.drawn.scale;
    const [x, y] = [this.view.x - this.drawn.x * ratio, this.view.y - this.drawn.y * ratio];
    this.canvas.style.transform = `translate(${x}px, ${y}px) scale(${ratio})`;
  }

  /**
   * Draw the new part of the line under the finger.
   * @param {Line} line
   * @param {number} from Number of the first point whose curve is not final yet.
   */
  extend(line, from) {
    this.context.save();
    this.#applyView();
    this.context.beginPath();
    this.context.rect(0, 0, this.view.width, this.view.height);
    this.context.clip();
    const kind = (line.kind === 'eraser') === this.isCutout ? 'brush' : 'eraser';
    drawLine(this.context, { ...line, kind }, from);
    this.context.restore();
  }

  #applyView() {
    const { density, drawn } = this;
    this.context.setTransform(
      density * drawn.scale,
      0,
      0,
      density * drawn.scale,
      density * drawn.x,
      density * drawn.y,
    );
    this.context.fillStyle = this.context.strokeStyle = INK;
  }
}
